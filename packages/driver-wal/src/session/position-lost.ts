import { quoteIdentifier, RowtapError } from '@rowtap/core/driver'
import { sqlstateOf } from '../errors/database-error.ts'
import type { DurableName } from '../publication/durable-name.ts'
import type { DurablePublications } from '../publication/durable-publications.ts'
import type { IdleSlot } from './subscription-slot.ts'

const UNDEFINED_OBJECT = '42704'

/**
 * Why the server no longer has the changes after the acknowledged position; `null` where it has them, or nothing was
 * captured yet.
 *
 * @param cause why the stream before this one ended, in this process.
 */
export function positionLostReason(
  slot: IdleSlot | null,
  { missing, tables }: DurablePublications,
  cause?: RowtapError,
): string | null {
  if (slot === null) return tables.length === 0 ? null : 'its replication slot was dropped.'
  if (slot.lost !== null) {
    return `the server has invalidated its replication slot (${slot.lost}). Keep max_slot_wal_keep_size large enough for the longest time that nobody reads it.`
  }
  // A slot does not see a publication that is younger.
  if (missing.length > 0) return 'its publications were dropped.'
  return sqlstateOf(cause?.cause) === UNDEFINED_OBJECT ? 'its publications were dropped, and made anew.' : null
}

/** The subscription cannot go on, and nobody said that it should begin anew. */
export function positionLost(name: DurableName, reason: string): RowtapError {
  const { all, inserts } = name.publications
  return new RowtapError('ERR_POSITION_LOST', {
    message:
      `Subscription ${JSON.stringify(name.subscription)} cannot go on where it ended: ${reason} ` +
      `Connect with onPositionLost: 'restart' to begin anew from now on, and read the tables again where the past matters. ` +
      `Or remove it: SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${name.slot}'; DROP PUBLICATION IF EXISTS ${quoteIdentifier(all)}, ${quoteIdentifier(inserts)}`,
  })
}
