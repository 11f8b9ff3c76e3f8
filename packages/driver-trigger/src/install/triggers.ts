import type { TableName } from '@rowtap/core/driver'
import { formatTableName, quoteIdentifier, quoteTableName, RowtapError } from '@rowtap/core/driver'
import type { Queries } from '../connection/connection.ts'
import { FIND_TRIGGERS } from '../sql/install-statements.ts'
import type { RowOperation } from './captured-part.ts'
import { lockTree } from './lock-tree.ts'
import type { CaptureFunction } from './table-function.ts'

/**
 * What captures a table's rows: one trigger for statements, which is cheaper, or one for rows, which works on partitioned
 * tables, and everywhere.
 */
export type CaptureKind = 'statement' | 'row'

/**
 * The names of the triggers that are created on a table. "!" sorts before the names of almost all other triggers, and so
 * they fire first. A table that is attached to a partitioned one keeps its own beside the clones of the other's.
 */
export function triggerNames(schema: string, oid: string): TriggerNames {
  return {
    row: `!${schema} ${oid}`,
    statement: [`!${schema} insert`, `!${schema} update`, `!${schema} delete`],
    truncate: `!${schema} truncate`,
  }
}

/** Names of triggers. */
export interface TriggerNames {
  readonly row: string
  /** One for each operation. */
  readonly statement: readonly [onInsert: string, onUpdate: string, onDelete: string]
  readonly truncate: string
}

/** A table or partition. */
export interface TableWithOid extends TableName {
  readonly oid: string
}

/** A table as it is now. */
export interface CapturableTable extends TableWithOid {
  /** Whether its statements' rows can be captured as a whole. */
  readonly kind: CaptureKind
  /** Whether the role may drop triggers of it. */
  readonly isOwned: boolean
}

/** What is created. */
export interface TriggerTask {
  readonly schema: string
  readonly enableAlways: boolean
  /** What triggers for statements call. */
  readonly byStatement: CaptureFunction
}

/**
 * Creates what is missing of the triggers of a table, and drops what has come to be the wrong kind. Needs the install lock,
 * and takes the table's for a moment.
 *
 * The row trigger of a partitioned table is cloned to its partitions, those of the future included; its argument tells
 * which table it was created on. A TRUNCATE of one partition fires no trigger but the partition's own.
 *
 * @returns whether all that is open captures what is wanted from now on: one was created on the table itself, so that no
 *   transaction is open that had written to it before; or it is captured by row, and so all of it.
 */
export async function createTriggers(
  queries: Queries,
  { schema, enableAlways, byStatement }: TriggerTask,
  table: CapturableTable,
  partitions: readonly TableWithOid[],
): Promise<boolean> {
  let hasExcluded = false
  const names = triggerNames(schema, table.oid)
  const found = new Map<TableWithOid, ReadonlyMap<string, string>>()
  for (const one of [table, ...partitions]) found.set(one, await findTriggers(queries, one))
  const present = new Map(found.get(table))
  const create = async (on: TableWithOid, name: string, definition: string): Promise<void> => {
    const enabled = (on === table ? present : found.get(on))?.get(name)
    if (enabled === undefined) {
      await queries.run(`create trigger ${quoteIdentifier(name)} after ${definition}`)
      hasExcluded ||= on === table
    }
    if (enableAlways && enabled !== 'A') {
      await queries.run(`alter table ${quoteTableName(on)} enable always trigger ${quoteIdentifier(name)}`)
    }
    if (on === table) present.set(name, enableAlways ? 'A' : 'O')
  }
  const kind = chooseKind(table, present, names, enableAlways)
  const call = `execute function ${quoteIdentifier(schema)}`
  const createTruncate = (on: TableWithOid): Promise<void> =>
    create(on, names.truncate, `truncate on ${quoteTableName(on)} for each statement ${call}.capture()`)
  if (touchesSeveral(found, names, enableAlways)) {
    // To create a trigger that is not handed down locks the table alone.
    const lockFirst = present.has(names.truncate) ? null : () => createTruncate(table)
    await lockTree(queries, table, 'share row exclusive', lockFirst)
  }
  for (const name of kind === 'row' ? names.statement : [names.row]) {
    if (present.has(name)) await queries.run(dropTrigger(name, table))
  }
  const on = `on ${quoteTableName(table)}`
  if (kind === 'row') {
    await create(table, names.row, `insert or update or delete ${on} for each row ${call}.capture(${table.oid})`)
  } else {
    const [onInsert, onUpdate, onDelete] = names.statement
    const statement = `for each statement ${call}.${byStatement.name}()`
    const isNeeded = (operation: RowOperation): boolean => byStatement.operations.includes(operation)
    if (isNeeded('insert')) {
      await create(table, onInsert, `insert ${on} referencing new table as new_rows ${statement}`)
    }
    if (isNeeded('update')) {
      await create(table, onUpdate, `update ${on} referencing old table as old_rows new table as new_rows ${statement}`)
    }
    if (isNeeded('delete')) {
      await create(table, onDelete, `delete ${on} referencing old table as old_rows ${statement}`)
    }
  }
  for (const one of [table, ...partitions]) await createTruncate(one)
  return hasExcluded || kind === 'row'
}

/** Whether more than one of a table and its partitions are locked to create what is missing. */
function touchesSeveral(
  found: ReadonlyMap<TableWithOid, ReadonlyMap<string, string>>,
  names: TriggerNames,
  enableAlways: boolean,
): boolean {
  if (found.size === 1) return false
  const [present] = found.values()
  const isDone = (enabled: string | undefined): boolean => enabled === 'A' || (enabled !== undefined && !enableAlways)
  const undone = [...found.values()].filter((triggers) => !isDone(triggers.get(names.truncate)))
  return undone.length > 1 || !isDone(present?.get(names.row))
}

/**
 * Statement triggers do not fire for what logical replication writes: who wants that captured wants row triggers, which
 * stay while they are there. Only the owner can drop those that are the wrong kind; row triggers are never wrong.
 */
function chooseKind(
  { kind, isOwned }: CapturableTable,
  present: ReadonlyMap<string, string>,
  names: TriggerNames,
  enableAlways: boolean,
): CaptureKind {
  const rowTrigger = present.get(names.row)
  return enableAlways || rowTrigger === 'A' || (rowTrigger !== undefined && !isOwned) ? 'row' : kind
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
