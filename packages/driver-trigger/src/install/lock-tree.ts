import { formatTableName } from '@rowtap/core/driver'
import type { Queries } from '../connection/connection.ts'
import type { TableLock } from '../sql/lock-statements.ts'
import {
  lockAlone,
  lockAsOwner,
  lockWithPartitions,
  MAY_LOCK,
  NO_LOCK_TIMEOUT,
  untilUnused,
} from '../sql/lock-statements.ts'
import { define } from './refused-definition.ts'
import type { CapturableTable } from './triggers.ts'

/**
 * Waits for the lock on a table that dropping its triggers takes, without its partitions. DROP TRIGGER itself takes a lesser
 * one first: who holds that, and waits for the greater one, makes a transaction that uses the table, and asks for the greater
 * one, too, fail at once, whatever the limits on waiting are. Here nothing is held on the table while it is waited for. Who does not own
 * the table cannot drop its triggers, and waits for nothing.
 *
 * @throws RowtapError with a lock failure for its cause.
 */
export async function lockToDrop(queries: Queries, table: CapturableTable): Promise<void> {
  if (!table.isOwned) return
  if (await mayLock(queries, table)) await queries.run(lockAlone(table, 'access exclusive'))
  else await define(queries, lockAsOwner(table), `lock ${formatTableName(table)}, to drop triggers on it`, null)
}

/**
 * Locks a table with its partitions, so that no transaction of others ever fails for it. Who waits for one lock and holds
 * another can deadlock with a transaction that takes the two the other way round; and it is the other one that PostgreSQL ends
 * where that one looks first, which is after its own `deadlock_timeout`. So it is waited for the first lock only, while
 * no other one is held; the others are taken at once, or all are let go of, and the caller tries again later.
 *
 * A role that may create triggers, but may not lock the table, looks whether anybody uses it or its partitions, and
 * waits for a millisecond where somebody came just then.
 *
 * @param lockFirst waits for the lock on the table alone in another way than by LOCK TABLE; `null` where there is none.
 * @throws RowtapError with a lock failure for its cause.
 */
export async function lockTree(
  queries: Queries,
  table: CapturableTable,
  lock: TableLock,
  lockFirst: (() => Promise<void>) | null,
): Promise<void> {
  if (await mayLock(queries, table)) {
    await queries.run(lockAlone(table, lock))
    await queries.run(lockWithPartitions(table, lock))
    return
  }
  // What waits for the lesser lock first would have to wait for the greater one while it holds that.
  if (lock === 'access exclusive') await lockToDrop(queries, table)
  else await lockFirst?.()
  await queries.run(untilUnused([table.oid], lock))
  await queries.run(NO_LOCK_TIMEOUT)
}

async function mayLock(queries: Queries, { oid }: CapturableTable): Promise<boolean> {
  const [row] = await queries.rows<{ may: boolean }>(MAY_LOCK, [oid])
  return row?.may === true
}
