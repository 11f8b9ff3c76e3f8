import type { ControlConnection, TextRow } from '../connection/control-connection.ts'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import type { TypeMessage } from '../pgoutput/type-message.ts'
import { mayBeToasted } from './bounded-type.ts'
import { columnNumbers } from './column-numbers.ts'
import type { KnownTypes } from './known-types.ts'
import type { ColumnFacts, TableFacts } from './table-facts.ts'
import { storageLimits } from './table-facts.ts'
import { TYPES } from './table-sql.ts'

/** What is known of a shape besides its announcement. */
export interface MessageContext {
  /** The table as the catalogue has it; `null` where it is gone. */
  readonly facts: TableFacts | null
  /** The types that the stream has announced, by object id. */
  readonly types: ReadonlyMap<number, TypeMessage>
  /** Columns whose types were looked up before. */
  readonly known: KnownTypes
}

/**
 * The columns of a shape that is not, or not any more, the one that the catalogue has. Names, types and modifiers are
 * the message's. A type that was dropped meanwhile is what it was found to be before; where nobody has looked, it is text, as
 * every type is of which `pg` knows nothing, and a domain still is what it was over, where that is a type of PostgreSQL's own.
 */
export async function messageColumns(
  control: ControlConnection,
  message: RelationMessage,
  { facts, types, known }: MessageContext,
): Promise<readonly ColumnFacts[]> {
  const numbers = facts === null ? [] : columnNumbers(message, facts)
  const announced = message.columns.map(({ typeOid }) => types.get(typeOid) ?? null)
  const rows = await control.query<TypeColumn>(TYPES, [
    message.columns.map((column) => column.typeOid),
    message.columns.map((column) => column.typeModifier),
    announced.map((type) => (type?.schema === 'pg_catalog' ? type.name : null)),
  ])
  return message.columns.map((column, index) =>
    sentColumn(column, {
      number: numbers[index] ?? null,
      announced: announced[index] ?? null,
      row: rows[index],
      known,
    }),
  )
}

type TypeColumn = 'name' | 'base' | 'modifier' | 'storage' | 'under' | 'inline_bytes' | 'character_bytes'

function sentColumn(
  { name, typeOid, typeModifier }: RelationMessage['columns'][number],
  {
    number,
    announced,
    row,
    known,
  }: {
    readonly number: number | null
    readonly announced: TypeMessage | null
    readonly row: TextRow<TypeColumn> | undefined
    readonly known: KnownTypes
  },
): ColumnFacts {
  // A type that is gone has no base; what was under a domain is one of PostgreSQL's own, or was found before.
  const found = (row?.base ?? null) === null ? known.of({ typeOid, typeModifier }) : undefined
  const baseTypeOid = Number(row?.base ?? found?.baseTypeOid ?? row?.under ?? typeOid)
  const stored = { baseTypeOid, baseTypeModifier: Number(row?.modifier ?? -1), storage: row?.storage ?? 'x' }
  return {
    name,
    number,
    typeOid,
    typeModifier,
    typeName: row?.name ?? nameOf(announced),
    baseTypeOid,
    isSent: true,
    isVirtual: false,
    mayBeToasted: found?.mayBeToasted ?? (row === undefined || mayBeToasted(stored, storageLimits(row))),
  }
}

/** What a type was called that the catalogue does not have any more. */
function nameOf(announced: TypeMessage | null): string {
  return announced === null ? 'a type that was dropped' : `${announced.schema}.${announced.name}`
}
