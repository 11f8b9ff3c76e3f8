import { quoteIdentifier, RowtapError } from '@rowtap/core/driver'
import { sqlstateOf } from '../errors/database-error.ts'
import type { Coverage, CoveredTable } from '../publication/coverage.ts'
import type { DurableName } from '../publication/durable-name.ts'
import type { DurablePublications } from '../publication/durable-publications.ts'
import { progressNote } from '../snapshot/progress-sql.ts'
import type { Connections } from './capture-source.ts'
import type { RecalledSubscription } from './subscription-memory.ts'
import type { SubscriptionRecord } from './subscription-record.ts'
import type { IdleSlot } from './subscription-slot.ts'

const UNDEFINED_OBJECT = '42704'
const MOVED = 'its replication slot was made again, or moved on, by somebody else: changes before it were missed.'
const OTHER_SERVER = 'its replication slot is one of another server, with a log of its own.'

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

/**
 * Why a slot is not the one that the subscription was read from, or not where it was left; `null` where nothing says so.
 *
 * @param recalled what is known of the subscription.
 */
export function strangeSlotReason(
  slot: IdleSlot | null,
  { record, isOwn, coverage }: RecalledSubscription,
  { history, former }: Pick<Connections, 'history' | 'former'>,
): string | null {
  if (slot === null) return null
  if (former !== null) {
    const { inFlight, last } = former
    if (history.systemId !== inFlight.history.systemId) return OTHER_SERVER
    const partedAt = last === null ? null : history.partedFrom(inFlight.history, last)
    if (partedAt === null) return isOwn && slot.flushed > inFlight.flushed ? MOVED : null
    // A copy of the slot that the new primary had as a standby is not further than what both have written.
    return slot.flushed > partedAt ? MOVED : null
  }
  if (record === null) return null
  if (record.systemId !== history.systemId) return isUpgraded(record, coverage) ? null : OTHER_SERVER
  if (record.publications.join() !== coverage.publications.join())
    return 'its publications were dropped, and made anew.'
  return record.closedAt !== null && slot.flushed > record.closedAt ? MOVED : null
}

/** `pg_upgrade`, which keeps only slots of which everything was read, keeps the object ids of tables, and nothing else does. */
function isUpgraded(record: SubscriptionRecord, { tables }: Coverage): boolean {
  const isThere = ({ oid, schema, name }: CoveredTable): boolean =>
    tables.some((table) => table.oid === oid && table.schema === schema && table.name === name)
  return record.tables.length > 0 && record.tables.every(isThere)
}

/** The statements that leave nothing of a subscription, whatever of it there still is. */
function removal({ slot, publications: { all, inserts } }: DurableName): readonly string[] {
  return [
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${slot}'`,
    `SELECT lo_unlink(kept.oid) FROM pg_largeobject_metadata AS kept JOIN pg_description ON objoid = kept.oid AND classoid = 'pg_largeobject'::regclass WHERE description = '${progressNote(all)}' AND pg_has_role(lomowner, 'USAGE')`,
    `DROP PUBLICATION IF EXISTS ${quoteIdentifier(all)}, ${quoteIdentifier(inserts)}`,
  ]
}

/** The subscription cannot go on, and nobody said that it should begin anew. */
export function positionLost(name: DurableName, reason: string): RowtapError {
  return new RowtapError('ERR_POSITION_LOST', {
    message:
      `Subscription ${JSON.stringify(name.subscription)} cannot go on where it ended: ${reason} ` +
      `Connect with onPositionLost: 'restart' to begin anew from now on, and read the tables again where the past matters. ` +
      `Or remove it: ${removal(name).join('; ')}`,
  })
}
