import type { Position } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { databaseError } from '../errors/database-error.ts'
import { parseLsn } from '../replication/lsn.ts'
import type { TimelineHistory } from '../replication/timeline-history.ts'
import { positionBefore } from '../replication/wal-position.ts'

/** Up to where a slot ($1) was told that all is handled, and whether the log has records that are not written out. */
const SLOT_PLACE = `
SELECT
  s.confirmed_flush_lsn AS flushed,
  pg_catalog.pg_current_wal_flush_lsn() < pg_catalog.pg_current_wal_insert_lsn() AS is_ahead
FROM pg_catalog.pg_replication_slots AS s
WHERE s.slot_name = $1`

/**
 * Takes a number for a transaction that does nothing. Its commit has the server write out the log as far as it goes:
 * what open transactions have put there waits for the next commit, and the stream, which has nothing that is not written
 * out, for that.
 */
export const WRITE_OUT = `SELECT pg_catalog.pg_current_xact_id()`

/**
 * Up to where the server will not send changes again: it knows that they are handled. `null` where there is no such slot.
 *
 * @throws RowtapError
 */
export async function settledPosition(
  control: ControlConnection,
  slot: string,
  history: TimelineHistory,
): Promise<Position | null> {
  try {
    const [row] = await control.query<'flushed' | 'is_ahead'>(SLOT_PLACE, [slot])
    if (row === undefined || row.flushed === null) return null
    if (row.is_ahead === 't') await control.query(WRITE_OUT)
    return positionBefore(parseLsn(row.flushed), history)
  } catch (error) {
    throw databaseError(error, 'look how far the subscription is')
  }
}
