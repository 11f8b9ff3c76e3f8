import type { Queries } from '../connection/connection.ts'
import type { TableLock } from '../sql/lock-statements.ts'
import { lockAlone, lockWithPartitions, MAY_LOCK, NO_LOCK_TIMEOUT, untilUnused } from '../sql/lock-statements.ts'
import type { TableWithOid } from './triggers.ts'

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
  table: TableWithOid,
  lock: TableLock,
  lockFirst: (() => Promise<void>) | null,
): Promise<void> {
  const [row] = await queries.rows<{ may: boolean }>(MAY_LOCK, [table.oid])
  if (row?.may === true) {
    await queries.run(lockAlone(table, lock))
    await queries.run(lockWithPartitions(table, lock))
    return
  }
  await lockFirst?.()
  await queries.run(untilUnused([table.oid], lock))
  await queries.run(NO_LOCK_TIMEOUT)
}
