import type { Connection } from '../connection/connection.ts'
import { isLockFailure } from '../install/capture-table.ts'
import { MOMENTARY_LOCK_TIMEOUT } from '../sql/install-statements.ts'
import {
  EARLIEST_PLACE,
  FILL_TABLE,
  FORGET_UNSETTLED,
  QUEUE_SIZES,
  QUEUE_TABLES,
  TRY_CLEAN_LOCK,
} from '../sql/queue-statements.ts'
import type { QueueTableStatements } from '../sql/queue-statements.ts'
import { parseSnapshot } from './snapshot.ts'

// How much writers put into one table before the next one's turn, in bytes; and from where on an idle one is emptied.
const fullBytes = 16 * 1024 * 1024
const worthBytes = 1024 * 1024
// How often a table that others hold a lock on is passed over, at most.
const patience = 30

interface Sizes {
  readonly filled: number
  readonly size_1: string
  readonly size_2: string
  readonly size_3: string
  readonly unsettled: boolean
}

/**
 * Lets go of what every consumer has handled: writers fill the queue's three tables in turn, and one that is handled whole
 * is emptied by a TRUNCATE. So nothing is deleted row by row, nothing has to be vacuumed, and tables do not bloat.
 *
 * A TRUNCATE locks everybody out. It is tried when no transaction holds a writer's lock on the table; those that begin
 * later write to another one. It waits for readers for a moment, and is tried again later.
 *
 * What is known of the columns of transactions that met others than were recorded is forgotten when they are handled, too.
 *
 * @returns a function that does what is to be done at present. It tells whether there were columns to forget: they stay as
 *   long as a stored place has transactions in progress that are older.
 */
export function rotation(connection: Connection): () => Promise<boolean> {
  const passes = [0, 0, 0]
  const misses = [0, 0, 0]

  const empty = async (index: number, statements: QueueTableStatements): Promise<void> => {
    const pass = passes[index] ?? 0
    if (pass > 0) {
      passes[index] = pass - 1
      return
    }
    if (await emptyTable(connection, statements)) {
      misses[index] = 0
      return
    }
    misses[index] = Math.min((misses[index] ?? 0) + 1, patience)
    passes[index] = misses[index]
  }

  const turn = async (sizes: Sizes): Promise<void> => {
    const bytes = [sizes.size_1, sizes.size_2, sizes.size_3].map(Number)
    const isEmpty: boolean[] = []
    for (const [index, statements] of QUEUE_TABLES.entries()) {
      isEmpty.push(await ask(connection, statements.isEmpty))
      if (isEmpty[index] === true || index === sizes.filled - 1) continue
      await empty(index, statements)
    }
    const current = bytes[sizes.filled - 1] ?? 0
    const next = [sizes.filled % 3, (sizes.filled + 1) % 3].find((index) => isEmpty[index])
    if (next === undefined || current < worthBytes) return
    if (current >= fullBytes || (await isHandled(connection, sizes.filled - 1))) {
      await connection.rows(FILL_TABLE, [next + 1])
    }
  }

  return async () => {
    const [sizes] = await connection.rows<Sizes>(QUEUE_SIZES)
    if (sizes === undefined) return false
    await turn(sizes)
    if (sizes.unsettled) await forgetColumns(connection)
    return sizes.unsettled
  }
}

async function isHandled(connection: Connection, index: number): Promise<boolean> {
  const statements = QUEUE_TABLES[index]
  return statements !== undefined && !(await isNeeded(connection, statements))
}

/** Empties a table that writers do not fill any more. False where others hold a lock on it. */
async function emptyTable(connection: Connection, statements: QueueTableStatements): Promise<boolean> {
  if (await ask(connection, statements.isInUse)) return false
  if (await isNeeded(connection, statements)) return true
  try {
    await connection.transaction(async (queries) => {
      const [free] = await queries.rows<{ got: boolean }>(TRY_CLEAN_LOCK)
      if (free?.got !== true) return
      await queries.run(MOMENTARY_LOCK_TIMEOUT)
      await queries.run(statements.lock)
      // Someone may have come meanwhile, and have seen what is in it.
      if (!(await isNeeded(queries, statements))) await queries.run(statements.truncate)
    })
    return true
  } catch (error) {
    if (isLockFailure(error)) return false
    throw error
  }
}

/** Forgets the columns of tables that only handled changes refer to: those of transactions that met others than were known. */
async function forgetColumns(connection: Connection): Promise<void> {
  await connection.transaction(async (queries) => {
    const [free] = await queries.rows<{ got: boolean }>(TRY_CLEAN_LOCK)
    if (free?.got !== true) return
    const [earliest] = await queries.rows<{ place: string }>(EARLIEST_PLACE)
    if (earliest !== undefined) await queries.run(FORGET_UNSETTLED, [earliest.place])
  })
}

type Asks = Pick<Connection, 'rows'>

/** Whether a consumer has not handled all that is in a table. Without any, nothing is needed. */
async function isNeeded(queries: Asks, { isNeeded: question }: QueueTableStatements): Promise<boolean> {
  const [earliest] = await queries.rows<{ place: string }>(EARLIEST_PLACE)
  if (earliest === undefined) return false
  const { xmax, inProgress } = parseSnapshot(earliest.place)
  return await ask(queries, question, [xmax, inProgress])
}

async function ask(
  queries: Asks,
  question: QueueTableStatements['isEmpty'],
  values: readonly (string | readonly string[])[] = [],
): Promise<boolean> {
  const [answer] = await queries.rows<{ is: boolean }>(question, values)
  return answer?.is === true
}
