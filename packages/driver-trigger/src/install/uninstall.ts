import type { DriverNotice, TableName } from '@rowtap/core/driver'
import { formatTableName, RowtapError, sqlstateOf } from '@rowtap/core/driver'
import type { Connection, Queries } from '../connection/connection.ts'
import { DEPENDENT_OBJECTS, INSUFFICIENT_PRIVILEGE, UNDEFINED_OBJECTS } from '../errors/sqlstate.ts'
import {
  COUNT_CONSUMERS,
  END_READING,
  LIMIT_READING,
  REMOVE_CONSUMER,
  REMOVE_OVERDUE,
} from '../sql/consumer-statements.ts'
import { DROP_TABLE_FUNCTIONS } from '../sql/filter-statements.ts'
import {
  DROP_INSTALLATION,
  DROP_SCHEMA,
  FIND_INSTALLATION,
  FIND_LEFT_BEHIND,
  FIND_TRIGGERED,
  FIND_UNWANTED_TRIGGERS,
  PARTITION_TREE,
  SHORT_LOCK_TIMEOUT,
  TAKE_INSTALL_LOCK,
} from '../sql/install-statements.ts'
import { NO_LOCK_TIMEOUT, untilUnused } from '../sql/lock-statements.ts'
import { backoff } from './backoff.ts'
import { isLockFailure } from './capture-table.ts'
import { lockToDrop, lockTree } from './lock-tree.ts'
import { define, RefusedDefinition } from './refused-definition.ts'
import type { CapturableTable, TableWithOid } from './triggers.ts'
import { describeTrigger, dropTrigger } from './triggers.ts'

interface Found {
  readonly ours: boolean
  readonly filled: boolean
  readonly usable: boolean
}

/** A trigger of ours on a table that no consumer wants. */
export interface UnwantedTrigger {
  readonly name: string
  readonly relation: string
  readonly schema: string
  readonly table: string
  /** Whether the table's partitions, where it has some, have it, too. */
  readonly isHandedDown: boolean
}

/** What a removal works with. */
export interface Removal {
  readonly connection: Connection
  readonly signal: AbortSignal
  /** How often to try, before what others hold locks on is left to the next start. */
  readonly attempts: number
  /** Hears of what is waited for, and of what is left. */
  readonly notify: (notice: DriverNotice) => void
}

/** What is left of what nobody uses. */
export interface Leftovers {
  /** Whether anything is left because others hold locks on it. */
  isLocked: boolean
  /** What PostgreSQL refuses to remove, and why, by what it is on: a table's object id, or the queue (`''`). */
  readonly refused: Map<string, string>
}

/**
 * Removes what nobody uses: the triggers of tables that no consumer wants, and everything, schema included, where
 * there is no consumer at all. What cannot be had because others hold locks is left: the next start tries again. So is what
 * PostgreSQL refuses, which attempts at once would not change.
 *
 * @returns what is left; `null` where all that is not used is gone.
 */
export async function removeUnused({ connection, signal, attempts, notify }: Removal): Promise<Leftovers | null> {
  for (let attempt = 1; ; attempt += 1) {
    const left: Leftovers = { isLocked: false, refused: new Map() }
    try {
      // One table at a time, so that never more than one is locked for longer than it takes.
      await removeTriggers(connection, left)
      if ((await removeEverything(connection)) || !(left.isLocked || left.refused.size > 0)) return null
    } catch (error) {
      if (error instanceof RefusedDefinition) {
        // With the queue its triggers would be gone.
        left.refused.clear()
        left.refused.set('', error.message)
      } else if (isLockFailure(error) || isGone(error)) left.isLocked = true
      else throw error
    }
    if (!left.isLocked) return left
    const last = attempt >= attempts
    if (attempts > 1 && (attempt === 1 || last)) await tell(connection, last, notify)
    if (last) return left
    await backoff(Math.min(attempt, 3), signal)
  }
}

/** Gives notice of the triggers that are still there, and of who holds locks on their tables. */
async function tell(connection: Connection, last: boolean, notify: (notice: DriverNotice) => void): Promise<void> {
  let left: readonly (TableName & { readonly pid: number | null })[]
  try {
    left = await connection.rows(FIND_LEFT_BEHIND)
  } catch (error) {
    if (isGone(error)) return
    throw error
  }
  const tables = [...new Set(left.map(formatTableName))].join(', ')
  const processIds = [...new Set(left.flatMap(({ pid }) => pid ?? []))]
  if (tables === '') return
  const reason = last
    ? `The triggers on ${tables} could not be dropped, because other transactions use the tables. The next client’s start drops them.`
    : `Waiting for other transactions to finish with ${tables}, to drop the triggers on it.`
  notify({ kind: 'wait', reason, processIds })
}

/**
 * Forgets a consumer. If it was the last one, writers capture nothing from here on, whether or not their triggers can
 * be dropped.
 */
export async function forgetConsumer(connection: Connection, consumer: string): Promise<void> {
  await connection.transaction(async (queries) => {
    await queries.rows(TAKE_INSTALL_LOCK)
    await queries.run(REMOVE_CONSUMER, [consumer])
    await queries.run(REMOVE_OVERDUE, ['0'])
    await queries.rows(LIMIT_READING)
    await queries.rows(END_READING)
  })
}

/** Drops the triggers of tables that nobody wants, and notes which of them are left that it might have dropped. */
async function removeTriggers(connection: Connection, left: Leftovers): Promise<void> {
  const [found] = await connection.rows<Found>(FIND_INSTALLATION)
  if (!isInstalled(found)) return
  const locked = new Set<string>()
  for (const trigger of await connection.rows<UnwantedTrigger>(FIND_UNWANTED_TRIGGERS)) {
    const { name, relation, schema, table } = trigger
    // Whoever held a lock on the table holds it yet, and writers would wait once more.
    if (locked.has(relation)) continue
    const refusal = left.refused.get(relation)
    if (refusal !== undefined) {
      left.refused.set(relation, `${refusal} ${dropTrigger(name, { schema, name: table })};`)
      continue
    }
    try {
      await removeTrigger(connection, trigger)
    } catch (error) {
      // Only a table's owner may drop its triggers. They go with the schema, when the last consumer does.
      if (error instanceof RefusedDefinition) left.refused.set(relation, error.message)
      else if (isLockFailure(error)) locked.add(relation)
      else if (stateOf(error) !== INSUFFICIENT_PRIVILEGE) throw error
    }
  }
  left.isLocked = locked.size > 0
}

async function removeTrigger(connection: Connection, { name, relation }: UnwantedTrigger): Promise<void> {
  await connection.transaction(async (queries) => {
    await queries.run(SHORT_LOCK_TIMEOUT)
    await queries.rows(TAKE_INSTALL_LOCK)
    // Someone may have come to want it meanwhile, or have renamed the table.
    const unwanted = await queries.rows<UnwantedTrigger>(FIND_UNWANTED_TRIGGERS)
    const still = unwanted.find((one) => one.name === name && one.relation === relation)
    if (still === undefined) return
    const [table, ...partitions] = await queries.rows<CapturableTable>(PARTITION_TREE, [relation])
    // One that is handed down to partitions goes from there, too.
    if (table?.isOwned === true && partitions.length > 0 && still.isHandedDown) {
      await lockTree(queries, table, 'access exclusive', null)
    } else if (table !== undefined) {
      await lockToDrop(queries, table)
    }
    const named = { schema: still.schema, name: still.table }
    await define(queries, dropTrigger(name, named), `drop the trigger ${describeTrigger(name, named)}`)
  })
}

/** Drops everything if there is no consumer. True if nothing is installed afterwards. */
async function removeEverything(connection: Connection): Promise<boolean> {
  return connection.transaction(async (queries) => {
    await queries.run(SHORT_LOCK_TIMEOUT)
    await queries.rows(TAKE_INSTALL_LOCK)
    const [found] = await queries.rows<Found>(FIND_INSTALLATION)
    if (!isInstalled(found)) return true
    await queries.run(REMOVE_OVERDUE, ['0'])
    const [count] = await queries.rows<{ consumers: number }>(COUNT_CONSUMERS)
    if (count === undefined || count.consumers > 0) return false
    await dropInstallation(queries)
    return true
  })
}

/**
 * Drops what is left of a queue of which somebody has dropped a part, with its readers' places.
 *
 * @param check throws where it is to stay. Runs in the transaction, with the install lock.
 * @returns whether it is gone: others may hold locks on tables.
 */
export async function removeRemains(
  { connection, signal, attempts }: Removal,
  check: (queries: Queries) => Promise<void>,
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await connection.transaction(async (queries) => {
        await queries.run(SHORT_LOCK_TIMEOUT)
        await queries.rows(TAKE_INSTALL_LOCK)
        await check(queries)
        await dropInstallation(queries)
      })
      return true
    } catch (error) {
      if (!isLockFailure(error)) throw error
    }
    if (attempt >= attempts) return false
    await backoff(Math.min(attempt, 3), signal)
  }
}

/** Needs the install lock, and a short limit on waiting for others. */
async function dropInstallation(queries: Queries): Promise<void> {
  const triggered = await queries.rows<TableWithOid>(FIND_TRIGGERED)
  if (triggered.length > 1) {
    // All at once, as only a table's owner may drop its triggers one by one: as `lockTree` does, for who may not lock.
    await queries.run(
      untilUnused(
        triggered.map(({ oid }) => oid),
        'access exclusive',
      ),
    )
    await queries.run(NO_LOCK_TIMEOUT)
  }
  const doing = `drop the change queue, with its triggers${triggered.map((table) => ` on ${formatTableName(table)}`).join()}`
  await define(queries, DROP_TABLE_FUNCTIONS, doing)
  await define(queries, DROP_INSTALLATION, doing)
  await dropSchema(queries, doing)
}

/** The schema stays where someone else put something into it; the next start uses it again. */
async function dropSchema(queries: Queries, doing: string): Promise<void> {
  await queries.run('savepoint before_schema')
  try {
    await define(queries, DROP_SCHEMA, doing)
  } catch (error) {
    if (stateOf(error) !== DEPENDENT_OBJECTS) throw error
    await queries.run('rollback to savepoint before_schema')
  }
}

function isInstalled(found: Found | undefined): boolean {
  return found?.ours === true && found.filled && found.usable
}

/** Whether an error says that another process has removed everything in the meantime. */
export function isGone(error: unknown): boolean {
  const state = stateOf(error)
  return state !== null && UNDEFINED_OBJECTS.has(state)
}

function stateOf(error: unknown): string | null {
  return sqlstateOf(RowtapError.is(error) ? error.cause : error)
}
