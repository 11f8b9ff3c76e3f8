import type { TableName } from '@rowtap/core/driver'
import { formatTableName, quoteIdentifier, quoteTableName, RowtapError, tableMissing } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { FIND_TABLE, TABLE_NAMES } from '../sql/catalog-statements.ts'
import type { ShapeContent } from './shape.ts'

/** A table that can be captured. */
export interface FoundTable {
  readonly oid: string
  readonly content: ShapeContent
  /** Whether the role may read the table and create triggers on it. */
  readonly privileged: boolean
  /** Whether the role may look into the table's schema. */
  readonly schemaIsOpen: boolean
  /** The partitions that the role may not create triggers on. */
  readonly closedPartitions: readonly TableName[]
  /** The role that asked. */
  readonly role: string
}

interface Row extends FoundTable {
  readonly kind: string
  readonly persistence: string
  readonly system: boolean
  readonly is_partition: boolean
  readonly root_schema: string | null
  readonly root_name: string | null
}

const reasons: Readonly<Record<string, string>> = {
  v: 'is a view: a view has no rows of its own. Listen to the tables underneath',
  m: 'is a materialized view, which has no row triggers. Listen to the tables underneath',
  f: 'is a foreign table: it changes on another server, where its triggers do not fire. Listen there',
  S: 'is a sequence, not a table',
  i: 'is an index, not a table',
  I: 'is an index, not a table',
  c: 'is a type, not a table',
  t: 'is a TOAST table, which belongs to the system',
}

/**
 * Looks a table up, and checks that it can be captured. Changes nothing.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED with the reason why it cannot, or with a name that may have been meant.
 */
export async function findTable(connection: Connection, schema: string, table: TableName): Promise<FoundTable> {
  const [row] = await connection.rows<Row>(FIND_TABLE, [table.schema, table.name])
  if (row === undefined) throw await notFound(connection, table)
  const reason = refusal(row, schema, table)
  if (reason !== null) {
    throw new RowtapError('ERR_SETUP_REQUIRED', { message: `${formatTableName(table)} ${reason}.` })
  }
  return row
}

/** The error for a table that the role may not capture, with the statements that would allow it; `null` if it may. */
export function lackOfPrivilege(table: TableName, found: FoundTable): RowtapError | null {
  const { schemaIsOpen, privileged, closedPartitions, role } = found
  const grantee = quoteIdentifier(role)
  const statements: string[] = []
  if (!schemaIsOpen) statements.push(`GRANT USAGE ON SCHEMA ${quoteIdentifier(table.schema)} TO ${grantee};`)
  if (!privileged) statements.push(`GRANT SELECT, TRIGGER ON TABLE ${quoteTableName(table)} TO ${grantee};`)
  if (closedPartitions.length > 0) {
    statements.push(`GRANT TRIGGER ON TABLE ${closedPartitions.map(quoteTableName).join(', ')} TO ${grantee};`)
  }
  if (statements.length === 0) return null
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `Role ${grantee} may not capture ${formatTableName(table)}. Run: ${statements.join(' ')}`,
  })
}

function refusal(row: Row, schema: string, table: TableName): string | null {
  if (row.kind !== 'r' && row.kind !== 'p') return reasons[row.kind] ?? 'is not a table'
  if (row.system || table.schema === 'pg_catalog' || table.schema === 'information_schema') {
    return 'is a system catalogue, and PostgreSQL allows no triggers on it'
  }
  if (table.schema === schema) {
    return 'is in the schema that is named for rowtap’s own queue. Set the option schema of triggerDriver to another name'
  }
  if (row.persistence === 't') return 'is a temporary table, which only its own session can see'
  if (row.persistence === 'u') {
    return `is unlogged: a crash of the server would empty it without a trace. Run: ALTER TABLE ${quoteTableName(table)} SET LOGGED`
  }
  if (row.is_partition && row.root_schema !== null && row.root_name !== null) {
    const root = formatTableName({ schema: row.root_schema, name: row.root_name })
    return `is a partition of ${root}, and its changes carry that table’s name. Listen to ${root}`
  }
  return null
}

async function notFound(connection: Connection, table: TableName): Promise<RowtapError> {
  const names = await connection.rows<TableName>(TABLE_NAMES, [table.schema])
  return tableMissing(table, connection.target.database, names)
}
