import type { TableName } from '@rowtap/core/driver'
import { formatTableName, quoteIdentifier, quoteTableName, RowtapError } from '@rowtap/core/driver'
import type { Queries } from '../connection/connection.ts'
import { FIND_TRIGGERS } from '../sql/install-statements.ts'

/** The names of a table's triggers. "!" sorts before the names of almost all other triggers, and so they fire first. */
export function triggerNames(schema: string): { readonly row: string; readonly truncate: string } {
  return { row: `!${schema}`, truncate: `!${schema} truncate` }
}

/** A table or partition. */
export interface TableWithOid extends TableName {
  readonly oid: string
}

/**
 * Creates what is missing of the triggers of a table. Needs the install lock, and takes the table's for a moment.
 *
 * The row trigger of a partitioned table is cloned to its partitions, those of the future included. A TRUNCATE of one
 * partition fires no trigger but the partition's own.
 */
export async function createTriggers(
  queries: Queries,
  schema: string,
  table: TableWithOid,
  partitions: readonly TableWithOid[],
): Promise<void> {
  const names = triggerNames(schema)
  const call = (argument: string): string => `execute function ${quoteIdentifier(schema)}.capture(${argument})`
  const found = await findTriggers(queries, table)
  if (!found.has(names.row)) {
    const events = 'insert or update or delete'
    await queries.run(
      `create trigger ${quoteIdentifier(names.row)} after ${events} on ${quoteTableName(table)} for each row ${call('')}`,
    )
  }
  const createTruncate = (on: TableName, argument: string): Promise<number> =>
    queries.run(
      `create trigger ${quoteIdentifier(names.truncate)} after truncate on ${quoteTableName(on)} for each statement ${call(argument)}`,
    )
  if (!found.has(names.truncate)) await createTruncate(table, '')
  for (const partition of partitions) {
    const there = await findTriggers(queries, partition)
    if (!there.has(names.truncate)) await createTruncate(partition, "'partition'")
  }
}

async function findTriggers(queries: Queries, table: TableWithOid): Promise<ReadonlySet<string>> {
  const found = await queries.rows<{ name: string; enabled: string }>(FIND_TRIGGERS, [table.oid])
  const disabled = found.find((trigger) => trigger.enabled === 'D')
  if (disabled !== undefined) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `Capturing ${formatTableName(table)} is switched off. Run: ALTER TABLE ${quoteTableName(table)} ENABLE TRIGGER ${quoteIdentifier(disabled.name)};`,
    })
  }
  return new Set(found.map((trigger) => trigger.name))
}

/** The statement that drops a trigger of ours. */
export function dropTrigger(name: string, table: TableName): string {
  return `drop trigger if exists ${quoteIdentifier(name)} on ${quoteTableName(table)}`
}
