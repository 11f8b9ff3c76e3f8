import { RowtapError } from '@rowtap/core/driver'
import type { Connection, Queries } from '../connection/connection.ts'
import { DEPENDENT_OBJECTS, errorState, INSUFFICIENT_PRIVILEGE, UNDEFINED_OBJECTS } from '../errors/sqlstate.ts'
import { COUNT_CONSUMERS, REMOVE_EXPIRED } from '../sql/consumer-statements.ts'
import {
  DROP_INSTALLATION,
  DROP_SCHEMA,
  FIND_INSTALLATION,
  FIND_UNWANTED_TRIGGERS,
  SHORT_LOCK_TIMEOUT,
  TAKE_INSTALL_LOCK,
} from '../sql/install-statements.ts'
import { backoff } from './backoff.ts'
import { isLockFailure } from './capture-table.ts'
import { dropTrigger } from './triggers.ts'

interface Found {
  readonly ours: boolean
  readonly filled: boolean
  readonly usable: boolean
}

interface UnwantedTrigger {
  readonly name: string
  readonly relation: string
  readonly schema: string
  readonly table: string
}

/**
 * Removes what nobody uses: the triggers of tables that no consumer wants, and everything, schema included, where
 * there is no consumer at all. What cannot be had because others hold locks is left: the next start tries again.
 *
 * @returns whether all that is not used is gone.
 */
export async function removeUnused(connection: Connection, signal: AbortSignal, attempts: number): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (attempt > 0) await backoff(Math.min(attempt, 3), signal)
    try {
      // One table at a time, so that never more than one is locked for longer than it takes.
      const clean = await removeTriggers(connection)
      if ((await removeEverything(connection)) || clean) return true
    } catch (error) {
      if (!isLockFailure(error) && !isGone(error)) throw error
    }
  }
  return false
}

/** Drops the triggers of tables that nobody wants. True if there are none left that could be dropped. */
async function removeTriggers(connection: Connection): Promise<boolean> {
  const [found] = await connection.rows<Found>(FIND_INSTALLATION)
  if (!isInstalled(found)) return true
  let clean = true
  for (const trigger of await connection.rows<UnwantedTrigger>(FIND_UNWANTED_TRIGGERS)) {
    try {
      await removeTrigger(connection, trigger)
    } catch (error) {
      // Only a table's owner may drop its triggers. They go with the schema, when the last consumer does.
      if (isLockFailure(error)) clean = false
      else if (stateOf(error) !== INSUFFICIENT_PRIVILEGE) throw error
    }
  }
  return clean
}

async function removeTrigger(connection: Connection, { name, relation }: UnwantedTrigger): Promise<void> {
  await connection.transaction(async (queries) => {
    await queries.run(SHORT_LOCK_TIMEOUT)
    await queries.rows(TAKE_INSTALL_LOCK)
    // Someone may have come to want it meanwhile, or have renamed the table.
    const unwanted = await queries.rows<UnwantedTrigger>(FIND_UNWANTED_TRIGGERS)
    const still = unwanted.find((one) => one.name === name && one.relation === relation)
    if (still !== undefined) await queries.run(dropTrigger(name, { schema: still.schema, name: still.table }))
  })
}

/** Drops everything if there is no consumer. True if nothing is installed afterwards. */
async function removeEverything(connection: Connection): Promise<boolean> {
  return connection.transaction(async (queries) => {
    await queries.run(SHORT_LOCK_TIMEOUT)
    await queries.rows(TAKE_INSTALL_LOCK)
    const [found] = await queries.rows<Found>(FIND_INSTALLATION)
    if (!isInstalled(found)) return true
    await queries.run(REMOVE_EXPIRED, ['0'])
    const [count] = await queries.rows<{ consumers: number }>(COUNT_CONSUMERS)
    if (count === undefined || count.consumers > 0) return false
    await queries.run(DROP_INSTALLATION)
    await dropSchema(queries)
    return true
  })
}

/** The schema stays where someone else put something into it; the next start uses it again. */
async function dropSchema(queries: Queries): Promise<void> {
  await queries.run('savepoint before_schema')
  try {
    await queries.run(DROP_SCHEMA)
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
  return errorState(RowtapError.is(error) ? error.cause : error)
}
