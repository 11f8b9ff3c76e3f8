import type { Waiting } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { sqlstateOf } from '../errors/database-error.ts'

const LOCK_NOT_AVAILABLE = '55P03'
/** A table was dropped, or left the publication with it, after it was looked up. */
const VANISHED: readonly string[] = ['42P01', '42704']

/** Whether a statement failed for what others do: it may succeed later, or not be needed. */
export function isPassing(error: unknown): boolean {
  const sqlstate = sqlstateOf(error)
  return sqlstate !== null && (sqlstate === LOCK_NOT_AVAILABLE || VANISHED.includes(sqlstate))
}

/** Whether the server said no to what a statement says, and not for what others do. */
export function isRefusal(error: unknown): boolean {
  return sqlstateOf(error) !== null && !isPassing(error)
}

/** What may be waited for after a statement has failed. */
export interface AfterFailure {
  readonly control: ControlConnection
  readonly waiting: Waiting
  /** The query for the processes that hold locks on tables ($1) which the statement has to wait for. */
  readonly holders: string
  readonly tables: readonly number[]
}

/** Pauses where trying again may help, otherwise throws the error. */
export async function pauseAfterFailure(
  error: unknown,
  { control, waiting, holders, tables }: AfterFailure,
): Promise<void> {
  if (!isPassing(error)) throw error
  if (sqlstateOf(error) !== LOCK_NOT_AVAILABLE) return
  const rows = await control.query<'pid'>(holders, [tables])
  await waiting.pause(
    'Waiting for a lock on the table, to capture it: another session changes, vacuums or locks it.',
    rows.map((row) => Number(row.pid)).toSorted((a, b) => a - b),
  )
}
