import type { DriverNotice, TableName } from '@rowtap/core/driver'
import { formatTableName, RowtapError, sqlstateOf } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE } from '../errors/sqlstate.ts'
import { ADD_WANTED } from '../sql/consumer-statements.ts'
import { FIND_BLOCKERS, PARTITION_TREE, SHORT_LOCK_TIMEOUT, TAKE_INSTALL_LOCK } from '../sql/install-statements.ts'
import { SETTLE_SHAPE } from '../sql/queue-statements.ts'
import { backoff } from './backoff.ts'
import type { CapturableTable } from './triggers.ts'
import { createTriggers } from './triggers.ts'

/** A table, and who wants it to be captured. */
export interface CapturedTable {
  readonly schema: string
  readonly consumer: string
  readonly oid: string
  /** Whether its triggers fire under session_replication_role = replica, too. */
  readonly enableAlways: boolean
}

/** What is to be captured, and for whom. */
export interface CaptureTask extends CapturedTable {
  readonly table: TableName
  /** Ends the waiting. */
  readonly signal: AbortSignal
  readonly notify: (notice: DriverNotice) => void
}

/**
 * Makes a table's changes go into the queue. CREATE TRIGGER excludes writers, so that after its commit every change
 * that commits later is captured. It waits for the writers that are there, a moment at a time, so that none queues
 * behind it for long.
 */
export async function captureTable(connection: Connection, task: CaptureTask): Promise<void> {
  let told = ''
  for (let attempt = 0; ; attempt += 1) {
    try {
      await captureOnce(connection, task)
      return
    } catch (error) {
      if (!isLockFailure(error)) throw error
    }
    const processIds = await findBlockers(connection, task.oid)
    if (processIds.length > 0 && processIds.join() !== told) {
      told = processIds.join()
      task.notify({
        kind: 'wait',
        reason: `Waiting for other transactions to finish with ${formatTableName(task.table)}, to create triggers on it.`,
        processIds,
      })
    }
    await backoff(attempt, task.signal)
  }
}

/** One attempt, in one transaction. Throws where others hold a lock on the table. */
export async function captureOnce(connection: Connection, task: CapturedTable): Promise<void> {
  await connection.transaction(async (queries) => {
    await queries.run(SHORT_LOCK_TIMEOUT)
    await queries.rows(TAKE_INSTALL_LOCK)
    await queries.run(ADD_WANTED, [task.consumer, task.oid])
    const [table, ...partitions] = await queries.rows<CapturableTable>(PARTITION_TREE, [task.oid])
    if (table === undefined) return
    await createTriggers(queries, task, table, partitions)
    for (const { oid } of [table, ...partitions]) await queries.rows(SETTLE_SHAPE, [oid])
  })
}

async function findBlockers(connection: Connection, oid: string): Promise<readonly number[]> {
  const rows = await connection.rows<{ pid: number }>(FIND_BLOCKERS, [oid])
  return rows.map((row) => row.pid)
}

/** Whether an error says no more than that others hold a lock. */
export function isLockFailure(error: unknown): boolean {
  const state = sqlstateOf(RowtapError.is(error) ? error.cause : error)
  return state === LOCK_NOT_AVAILABLE || state === DEADLOCK_DETECTED
}
