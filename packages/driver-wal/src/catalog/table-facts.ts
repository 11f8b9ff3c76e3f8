import type { TableName } from '@rowtap/core/driver'
import type { ControlConnection, TextRow } from '../connection/control-connection.ts'
import type { StorageLimits, StoredType } from './bounded-type.ts'
import { mayBeToasted } from './bounded-type.ts'
import { TABLE_BY_OID, TABLE_OID } from './table-sql.ts'

/** A column as the catalogue has it. */
export interface ColumnFacts {
  readonly name: string
  /** `pg_attribute.attnum`; `null` where it is not known. */
  readonly number: number | null
  readonly typeOid: number
  readonly typeModifier: number
  readonly typeName: string
  /** The type under a domain; the type itself where it is none. */
  readonly baseTypeOid: number
  /** Whether changes have the column: a generated one may be left out. */
  readonly isSent: boolean
  /** Whether it is generated, and its value stored nowhere. */
  readonly isVirtual: boolean
  /** Whether a large value may be stored outside of the row: one that an update leaves alone is then not sent. */
  readonly mayBeToasted: boolean
}

/** Something that stores rows: a table, or a partition without partitions of its own. */
export interface StorageFacts extends TableName {
  readonly oid: number
  /** `pg_class.relkind` */
  readonly kind: string
  /** `pg_class.relpersistence` */
  readonly persistence: string
  /** `pg_class.relfilenode`: another one once it was emptied or rewritten. */
  readonly file: number
  /** `pg_class.relreplident` */
  readonly replicaIdentity: string
  /** The columns of the index that identifies a row; `null` where there is none, or the whole row does. */
  readonly identity: readonly string[] | null
  readonly hasVirtualColumns: boolean
}

/** Everything that capturing a table depends on. */
export interface TableFacts extends TableName {
  readonly oid: number
  /** `pg_class.relkind` */
  readonly kind: string
  readonly owner: string
  /** Whether who acts as the owner may do anything. */
  readonly ownerIsSuperuser: boolean
  /** Whether the connected role may act as the owner. */
  readonly isOwned: boolean
  /** Whether the connected role may use the table's schema, without which it cannot name the table. */
  readonly schemaIsOpen: boolean
  /** Whether it belongs to PostgreSQL itself. */
  readonly isSystem: boolean
  /** In the table's order. */
  readonly columns: readonly ColumnFacts[]
  /** The numbers of the columns that were dropped. */
  readonly droppedColumns: readonly number[]
  readonly primaryKey: readonly string[]
  readonly storage: readonly StorageFacts[]
  /** The table and everything below it. */
  readonly family: readonly number[]
}

type LimitColumn = 'inline_bytes' | 'character_bytes'

type Column =
  | 'oid'
  | 'schema'
  | 'name'
  | 'kind'
  | 'owner'
  | 'owner_is_superuser'
  | 'owned'
  | 'schema_open'
  | 'system'
  | 'columns'
  | 'dropped_columns'
  | LimitColumn
  | 'primary_key'
  | 'storage'
  | 'family'

/** Reads a table's facts by its name; `null` where there is no such table. The error of a failure is `pg`'s. */
export async function readTable(control: ControlConnection, table: TableName): Promise<TableFacts | null> {
  const [found] = await control.prepared<'oid'>('rowtap_table_oid', TABLE_OID, [table.schema, table.name])
  return found === undefined || found.oid === null ? null : readTableByOid(control, Number(found.oid))
}

/** Reads a table's facts by its object id; `null` where there is no such table. The error of a failure is `pg`'s. */
export async function readTableByOid(control: ControlConnection, oid: number): Promise<TableFacts | null> {
  return tableFacts(await control.prepared<Column>('rowtap_table_by_oid', TABLE_BY_OID, [oid]))
}

/** What the server and the database set, from a row that has it. */
export function storageLimits(row: TextRow<LimitColumn>): StorageLimits {
  return { inlineBytes: Number(row.inline_bytes), characterBytes: Number(row.character_bytes) }
}

/** A column as the statement describes it. */
type StoredColumn = Omit<ColumnFacts, 'mayBeToasted'> & StoredType

function columnFacts(column: StoredColumn, limits: StorageLimits): ColumnFacts {
  const { name, number, typeOid, typeModifier, typeName, baseTypeOid, isSent, isVirtual } = column
  return {
    name,
    number,
    typeOid,
    typeModifier,
    typeName,
    baseTypeOid,
    isSent,
    isVirtual,
    mayBeToasted: mayBeToasted(column, limits),
  }
}

function tableFacts(rows: readonly TextRow<Column>[]): TableFacts | null {
  const [row] = rows
  if (row === undefined) return null
  // The statement builds these documents, so their shape is known here.
  return {
    oid: Number(row.oid),
    schema: row.schema ?? '',
    name: row.name ?? '',
    kind: row.kind ?? '',
    owner: row.owner ?? '',
    ownerIsSuperuser: row.owner_is_superuser === 't',
    isOwned: row.owned === 't',
    schemaIsOpen: row.schema_open === 't',
    isSystem: row.system === 't',
    columns: (JSON.parse(row.columns ?? '[]') as StoredColumn[]).map((column) =>
      columnFacts(column, storageLimits(row)),
    ),
    droppedColumns: JSON.parse(row.dropped_columns ?? '[]') as number[],
    primaryKey: JSON.parse(row.primary_key ?? '[]') as string[],
    storage: JSON.parse(row.storage ?? '[]') as StorageFacts[],
    family: JSON.parse(row.family ?? '[]') as number[],
  }
}
