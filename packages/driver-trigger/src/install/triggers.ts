import type { TableName } from '@rowtap/core/driver'
import { formatTableName, quoteIdentifier, quoteTableName, RowtapError } from '@rowtap/core/driver'
import type { Queries } from '../connection/connection.ts'
import { FIND_TRIGGERS } from '../sql/install-statements.ts'

/**
 * The names of the triggers that are created on a table. "!" sorts before the names of almost all other triggers, and so
 * they fire first. A table that is attached to a partitioned one keeps its own beside the clones of the other's.
 */
export function triggerNames(schema: string, oid: string): { readonly row: string; readonly truncate: string } {
  return { row: `!${schema} ${oid}`, truncate: `!${schema} truncate` }
}

/** A table or partition. */
export interface TableWithOid extends TableName {
  readonly oid: string
}

/**
 * Creates what is missing of the triggers of a table. Needs the install lock, and takes the table's for a moment.
 *
 * The row trigger of a partitioned table is cloned to its partitions, those of the future included; its argument tells
 * which table it was created on. A TRUNCATE of one partition fires no trigger but the partition's own.
 */
export async function createTriggers(
  queries: Queries,
  { schema, enableAlways }: { readonly schema: string; readonly enableAlways: boolean },
  table: TableWithOid,
  partitions: readonly TableWithOid[],
): Promise<void> {
  const capture = `${quoteIdentifier(schema)}.capture`
  const names = triggerNames(schema, table.oid)
  const create = async (on: TableWithOid, name: string, events: string, forEach: string): Promise<void> => {
    const enabled = (await findTriggers(queries, on)).get(name)
    if (enabled === undefined) {
      await queries.run(
        `create trigger ${quoteIdentifier(name)} after ${events} on ${quoteTableName(on)} for each ${forEach}`,
      )
    }
    if (enableAlways && enabled !== 'A') {
      await queries.run(`alter table ${quoteTableName(on)} enable always trigger ${quoteIdentifier(name)}`)
    }
  }
  await create(table, names.row, 'insert or update or delete', `row execute function ${capture}(${table.oid})`)
  for (const one of [table, ...partitions]) {
    await create(one, names.truncate, 'truncate', `statement execute function ${capture}()`)
  }
}

async function findTriggers(queries: Queries, table: TableWithOid): Promise<ReadonlyMap<string, string>> {
  const found = await queries.rows<{ name: string; enabled: string }>(FIND_TRIGGERS, [table.oid])
  const disabled = found.find((trigger) => trigger.enabled === 'D')
  if (disabled !== undefined) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `Capturing ${formatTableName(table)} is switched off. Run: ALTER TABLE ${quoteTableName(table)} ENABLE TRIGGER ${quoteIdentifier(disabled.name)};`,
    })
  }
  return new Map(found.map((trigger) => [trigger.name, trigger.enabled]))
}

/** The statement that drops a trigger of ours. */
export function dropTrigger(name: string, table: TableName): string {
  return `drop trigger if exists ${quoteIdentifier(name)} on ${quoteTableName(table)}`
}
