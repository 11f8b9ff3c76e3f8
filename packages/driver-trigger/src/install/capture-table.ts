import type { DriverNotice, TableName } from '@rowtap/core/driver'
import { formatTableName, RowtapError, sqlstateOf } from '@rowtap/core/driver'
import type { Connection, Queries } from '../connection/connection.ts'
import { DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE } from '../errors/sqlstate.ts'
import { ADD_WANTED, CONFIRM_WANTED, DOUBT_WANTED } from '../sql/consumer-statements.ts'
import { FIND_PARTS, FIND_WRITERS } from '../sql/filter-statements.ts'
import {
  FIND_BLOCKERS,
  MOMENTARY_LOCK_TIMEOUT,
  PARTITION_TREE,
  SHORT_LOCK_TIMEOUT,
  TAKE_INSTALL_LOCK,
} from '../sql/install-statements.ts'
import { SETTLE_SHAPE } from '../sql/queue-statements.ts'
import { backoff } from './backoff.ts'
import type { CapturedPart } from './captured-part.ts'
import { isWhole, isWithin, WHOLE } from './captured-part.ts'
import { captureFunction } from './table-function.ts'
import type { CapturableTable } from './triggers.ts'
import { createTriggers } from './triggers.ts'

/** A table, and how it is captured. */
export interface TableToCapture {
  readonly schema: string
  readonly oid: string
  /** Whether its triggers fire under session_replication_role = replica, too. */
  readonly enableAlways: boolean
  /** Whether another part may be wanted later. */
  readonly pushesDown: boolean
}

/** A table, and who wants it to be captured. */
export interface CapturedTable extends TableToCapture {
  readonly consumer: string
  /** Which part of it is wanted. */
  readonly part: CapturedPart
  /** What every transaction is captured for on behalf of the same consumer; `null`: that is not known. */
  readonly inForce: CapturedPart | null
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
      const isInDoubt = await captureOnce(connection, task)
      if (isInDoubt) {
        await untilWritersEnd(connection, task)
        await connection.run(CONFIRM_WANTED, [task.consumer, task.oid])
      }
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

/**
 * One attempt, in one transaction. Throws where others hold a lock on the table.
 *
 * @returns whether transactions that have written to the table may be open that have been captured for less.
 */
export async function captureOnce(connection: Connection, task: CapturedTable): Promise<boolean> {
  return await connection.transaction(async (queries) => {
    await queries.run(SHORT_LOCK_TIMEOUT)
    await queries.rows(TAKE_INSTALL_LOCK)
    const { consumer, oid: relation, part, inForce } = task
    await queries.run(ADD_WANTED, [consumer, relation, isWhole(part) ? null : JSON.stringify(part)])
    const isSettled = await captureParts(queries, task, [part, ...(await findParts(queries, task, consumer))])
    const isInDoubt = !isSettled && !(inForce !== null && isWithin(part, inForce))
    if (isInDoubt) await queries.run(DOUBT_WANTED, [consumer, relation])
    return isInDoubt
  })
}

/**
 * Captures what is known to be wanted of a table, whoever wants it, where it is not captured as it should be. What this
 * session is about to want it captures itself: to state here what it wanted before would take that back. Throws where others
 * hold a lock on the table.
 *
 * @param isUrgent whether changes may be missed until then.
 */
export async function captureAgain(connection: Connection, task: TableToCapture, isUrgent: boolean): Promise<void> {
  await connection.transaction(async (queries) => {
    await queries.run(isUrgent ? SHORT_LOCK_TIMEOUT : MOMENTARY_LOCK_TIMEOUT)
    await queries.rows(TAKE_INSTALL_LOCK)
    const parts = await findParts(queries, task, '0')
    if (parts.length > 0) await captureParts(queries, task, parts)
  })
}

/** What others than a consumer want of a table. */
async function findParts(
  queries: Queries,
  { oid }: TableToCapture,
  consumer: string,
): Promise<readonly CapturedPart[]> {
  const found = await queries.rows<{ part: CapturedPart | null }>(FIND_PARTS, [consumer, oid])
  return found.map(({ part }) => part ?? WHOLE)
}

/** Returns whether every open transaction is captured for that. Needs the install lock. */
async function captureParts(queries: Queries, task: TableToCapture, parts: readonly CapturedPart[]): Promise<boolean> {
  const hasRows = parts.some(({ rows }) => rows)
  const [table, ...partitions] = await queries.rows<CapturableTable>(PARTITION_TREE, [task.oid])
  if (table === undefined) return true
  for (const { oid } of [table, ...partitions]) await queries.rows(SETTLE_SHAPE, [oid])
  // Triggers for rows may have to stay where nobody wants any: then they have to tell of every change.
  const captured = await captureFunction(queries, hasRows ? task : { ...task, pushesDown: false }, parts)
  const wish = { ...task, byStatement: hasRows ? captured : null }
  const isSettled = await createTriggers(queries, wish, table, partitions)
  return isSettled || !captured.isOwn
}

/** Waits for the transactions that have written to the table. None has to wait for us. */
async function untilWritersEnd(connection: Connection, { oid, table, signal, notify }: CaptureTask): Promise<void> {
  const find = (): Promise<readonly Writer[]> => connection.rows<Writer>(FIND_WRITERS, [oid])
  const before = new Set((await find()).map(({ transaction }) => transaction))
  for (let attempt = 0; ; attempt += 1) {
    const left = (await find()).filter(({ transaction }) => before.has(transaction))
    if (left.length === 0) return
    if (attempt === 1) {
      const reason = `Waiting for transactions that have written to ${formatTableName(table)}, to capture more of its rows.`
      notify({ kind: 'wait', reason, processIds: left.flatMap(({ pid }) => pid ?? []) })
    }
    await backoff(Math.min(attempt, 3), signal)
  }
}

interface Writer {
  readonly transaction: string
  /** `null`: the transaction is prepared. */
  readonly pid: number | null
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
