import type { TableName } from '@rowtap/core/driver'
import { formatTableName, quoteIdentifier, quoteTableName, RowtapError } from '@rowtap/core/driver'
import type { Queries } from '../connection/connection.ts'
import { FIND_TRIGGERS } from '../sql/install-statements.ts'
import type { RowOperation } from './captured-part.ts'
import { lockToDrop, lockTree } from './lock-tree.ts'
import { define } from './refused-definition.ts'
import type { CaptureFunction } from './table-function.ts'

/**
 * What captures a table's rows: one trigger for statements, which is cheaper, or one for rows, which works on partitioned
 * tables, and everywhere.
 */
export type RowCaptureKind = 'statement' | 'row'

/** What tells that a table was changed, where nobody wants its rows: likewise. */
export type SignalKind = 'signal' | 'row signal'

/** What captures a table. */
export type CaptureKind = RowCaptureKind | SignalKind

/**
 * The names of the triggers that are created on a table. "!" sorts before the names of almost all other triggers, and so
 * they fire first. A table that is attached to a partitioned one keeps its own beside the clones of the other's.
 */
export function triggerNames(schema: string, oid: string): TriggerNames {
  return {
    row: `!${schema} ${oid}`,
    statement: [`!${schema} insert`, `!${schema} update`, `!${schema} delete`],
    signal: `!${schema} signal`,
    rowSignal: `!${schema} signal ${oid}`,
    truncate: `!${schema} truncate`,
  }
}

/** Names of triggers. */
export interface TriggerNames {
  readonly row: string
  /** One for each operation. */
  readonly statement: readonly [onInsert: string, onUpdate: string, onDelete: string]
  readonly signal: string
  readonly rowSignal: string
  readonly truncate: string
}

/** A table or partition. */
export interface TableWithOid extends TableName {
  readonly oid: string
}

/** A table as it is now. */
export interface CapturableTable extends TableWithOid {
  /** Whether its statements' rows can be captured as a whole. */
  readonly kind: RowCaptureKind
  /** Whether its statements tell of every change. */
  readonly signalKind: SignalKind
  /** Whether the role may drop triggers of it, and have them fire always. */
  readonly isOwned: boolean
  readonly owner: string
  readonly ownerIsSuperuser: boolean
  /** The role that asks. */
  readonly role: string
}

/** What is created. */
export interface TriggerTask {
  readonly schema: string
  readonly enableAlways: boolean
  /** What triggers for statements call that capture rows; `null`: nobody wants rows. */
  readonly byStatement: CaptureFunction | null
}

/**
 * Creates what is missing of the triggers of a table, and drops what has come to be the wrong kind. Needs the install lock,
 * and takes the table's for a moment.
 *
 * The row trigger of a partitioned table is cloned to its partitions, those of the future included; its argument tells
 * which table it was created on. A TRUNCATE of one partition fires no trigger but the partition's own.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where triggers are switched off, or are to fire always on another role's table.
 * @returns whether all that is open captures what is wanted from now on: one was created on the table itself, so that no
 *   transaction is open that had written to it before; or it is captured by row, and so all of it.
 */
export async function createTriggers(
  queries: Queries,
  { schema, enableAlways, byStatement }: TriggerTask,
  table: CapturableTable,
  partitions: readonly CapturableTable[],
): Promise<boolean> {
  let hasExcluded = false
  const names = triggerNames(schema, table.oid)
  const found = new Map<TableWithOid, ReadonlyMap<string, string>>()
  for (const one of [table, ...partitions]) found.set(one, await findTriggers(queries, one))
  const present = new Map(found.get(table))
  const wasAlways = [names.row, names.rowSignal].some((name) => present.get(name) === 'A')
  // Others may want what is replicated: whatever takes the place of what captures it for them captures it, too.
  const isAlways = enableAlways || (wasAlways && table.isOwned)
  const create = async (on: CapturableTable, name: string, definition: string): Promise<void> => {
    const enabled = (on === table ? present : found.get(on))?.get(name)
    if (isAlways && enabled !== 'A' && !on.isOwned) throw notOwner(on)
    if (enabled === undefined) {
      const statement = `create trigger ${quoteIdentifier(name)} after ${definition}`
      await define(queries, statement, `create the trigger ${describeTrigger(name, on)}`)
      hasExcluded ||= on === table
    }
    if (isAlways && enabled !== 'A') {
      const statement = `alter table ${quoteTableName(on)} enable always trigger ${quoteIdentifier(name)}`
      await define(queries, statement, `have the trigger ${describeTrigger(name, on)} fire always`)
    }
    if (on === table) present.set(name, isAlways ? 'A' : 'O')
  }
  const kind = chooseKind(table, present, {
    names,
    isAlways: enableAlways || wasAlways,
    hasRows: byStatement !== null,
  })
  const dropped = wrongTriggers(kind, names, table).filter((name) => present.has(name))
  const call = `execute function ${quoteIdentifier(schema)}`
  const createTruncate = (on: CapturableTable): Promise<void> =>
    create(on, names.truncate, `truncate on ${quoteTableName(on)} for each statement ${call}.capture()`)
  const handedDown = kind === 'row signal' ? names.rowSignal : names.row
  if (touchesSeveral(found, [handedDown, names.truncate], isAlways) || (dropped.length > 0 && partitions.length > 0)) {
    // To create a trigger that is not handed down locks the table alone.
    const lockFirst = present.has(names.truncate) ? null : () => createTruncate(table)
    // To drop one that is handed down takes the greater lock.
    await lockTree(queries, table, dropped.length > 0 ? 'access exclusive' : 'share row exclusive', lockFirst)
  } else if (dropped.length > 0) {
    await lockToDrop(queries, table)
  }
  for (const name of dropped) {
    await define(
      queries,
      dropTrigger(name, table),
      `drop the trigger ${describeTrigger(name, table)}, to create another one`,
      null,
    )
  }
  const on = `on ${quoteTableName(table)}`
  const any = `insert or update or delete ${on} for each`
  if (kind === 'row') {
    await create(table, names.row, `${any} row ${call}.capture(${table.oid})`)
  } else if (kind === 'row signal') {
    await create(table, names.rowSignal, `${any} row ${call}.signal(${table.oid})`)
  } else if (kind === 'signal') {
    await create(table, names.signal, `${any} statement ${call}.signal()`)
  } else if (byStatement !== null) {
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
  [handedDown, onEach]: readonly [handedDown: string, onEach: string],
  isAlways: boolean,
): boolean {
  if (found.size === 1) return false
  const [present] = found.values()
  const isDone = (enabled: string | undefined): boolean => enabled === 'A' || (enabled !== undefined && !isAlways)
  const undone = [...found.values()].filter((triggers) => !isDone(triggers.get(onEach)))
  return undone.length > 1 || !isDone(present?.get(handedDown))
}

/** What the choice depends on, besides the table. */
interface KindWish {
  readonly names: TriggerNames
  /** Whether somebody wants what is replicated. */
  readonly isAlways: boolean
  /** Whether anybody wants rows. */
  readonly hasRows: boolean
}

/**
 * Statement triggers do not fire for what logical replication writes: who wants that captured wants row triggers, which
 * stay while they are there. Only the owner can drop those that are the wrong kind; row triggers are never wrong, nor is
 * anything that captures rows where nobody wants them.
 */
function chooseKind(
  { kind, signalKind, isOwned }: CapturableTable,
  present: ReadonlyMap<string, string>,
  { names, isAlways, hasRows }: KindWish,
): CaptureKind {
  const rowTrigger = present.get(names.row)
  const rowSignal = present.get(names.rowSignal)
  const isStuck = (trigger: string | undefined): boolean => trigger !== undefined && !isOwned
  if (hasRows) return isAlways || isStuck(rowTrigger) ? 'row' : kind
  if (isStuck(rowTrigger)) return 'row'
  if (names.statement.every((name) => isStuck(present.get(name)))) return 'statement'
  return isAlways || isStuck(rowSignal) ? 'row signal' : signalKind
}

/** The triggers that are not to be beside those of a kind. What tells of changes besides does no harm, where it cannot be dropped. */
function wrongTriggers(kind: CaptureKind, names: TriggerNames, { isOwned }: CapturableTable): readonly string[] {
  const rows = [names.row, ...names.statement]
  const signals = [names.signal, names.rowSignal]
  switch (kind) {
    case 'row':
      return [...names.statement, ...(isOwned ? signals : [])]
    case 'statement':
      return [names.row, ...(isOwned ? signals : [])]
    case 'signal':
      return isOwned ? [...rows, names.rowSignal] : []
    case 'row signal':
      return isOwned ? [...rows, names.signal] : []
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

function notOwner(table: CapturableTable): RowtapError {
  const { owner, ownerIsSuperuser } = table
  const role = quoteIdentifier(table.role)
  // To act as a superuser is more than any table is worth.
  const statement = ownerIsSuperuser
    ? `ALTER TABLE ${quoteTableName(table)} OWNER TO ${role}`
    : `GRANT ${quoteIdentifier(owner)} TO ${role}`
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `With enableAlways capturing ${formatTableName(table)} takes its owner ${quoteIdentifier(owner)}, and ${role} is not. Run: ${statement} — or leave the option out.`,
  })
}

/** A trigger of ours, for messages. */
export function describeTrigger(name: string, table: TableName): string {
  return `${quoteIdentifier(name)} on ${formatTableName(table)}`
}

/** The statement that drops a trigger of ours. */
export function dropTrigger(name: string, table: TableName): string {
  return `drop trigger if exists ${quoteIdentifier(name)} on ${quoteTableName(table)}`
}
