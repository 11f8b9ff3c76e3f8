import type { Queries } from '../connection/connection.ts'
import { END_READING } from '../sql/consumer-statements.ts'
import { MOMENTARY_LOCK_TIMEOUT } from '../sql/install-statements.ts'
import {
  BEGIN_HERE,
  DELETE_QUEUE,
  FIND_TABLE_FUNCTIONS,
  IS_FROM_ELSEWHERE,
  LET_GO_OF_READERS,
  TRUNCATE_QUEUE,
} from '../sql/origin-statements.ts'
import { CAPTURE_STATEMENT_BODY } from '../sql/migration-0001/capture-statement-body.ts'
import { isLockFailure } from './capture-table.ts'
import { makeTableFunction } from './table-function.ts'

/**
 * Begins anew with a queue that was restored from a dump: its changes are of other transactions, and of other tables, than those
 * that have these numbers here. Who had a subscription is told when it is opened. Needs the install lock.
 */
export async function beginHere(queries: Queries, schema: string): Promise<void> {
  const [elsewhere] = await queries.rows<{ is: boolean }>(IS_FROM_ELSEWHERE)
  if (elsewhere?.is !== true) return
  await queries.run(LET_GO_OF_READERS)
  // Nobody wants but a part any more, and triggers may stay that call them.
  for (const { name } of await queries.rows<{ name: string }>(FIND_TABLE_FUNCTIONS)) {
    await queries.run(makeTableFunction(schema, name, CAPTURE_STATEMENT_BODY.text(schema)))
  }
  await emptyQueue(queries)
  await queries.run(BEGIN_HERE)
  await queries.rows(END_READING)
}

/** Leaves no room behind that nobody would ever use again, unless writers hold locks on it. */
async function emptyQueue(queries: Queries): Promise<void> {
  await queries.run('savepoint before_queue')
  try {
    await queries.run(MOMENTARY_LOCK_TIMEOUT)
    await queries.run(TRUNCATE_QUEUE)
    await queries.run('set local lock_timeout = 0')
  } catch (error) {
    if (!isLockFailure(error)) throw error
    await queries.run('rollback to savepoint before_queue')
    await queries.run(DELETE_QUEUE)
  }
  // What a savepoint's rows say of their transaction is not what a transaction says of itself.
  await queries.run('release savepoint before_queue')
}
