import { RowtapError } from '@rowtap/core/driver'
import { sqlstateOf } from '../errors/database-error.ts'
import type { Coverage, KnownTable } from '../publication/coverage.ts'
import type { DurableName } from '../publication/durable-name.ts'
import type { DurablePublications } from '../publication/durable-publications.ts'
import { formatLsn } from '../replication/lsn.ts'
import type { KnownLimit } from './acknowledgement-limit.ts'
import type { Connections } from './capture-source.ts'
import type { RecalledSubscription } from './subscription-memory.ts'
import type { SubscriptionRecord } from './subscription-record.ts'
import type { IdleSlot } from './subscription-slot.ts'

const UNDEFINED_OBJECT = '42704'
const MOVED = 'its replication slot was made again, or moved on, by somebody else: changes before it were missed.'
const OTHER_SERVER_WITHOUT_SLOT =
  'its replication slot is not on this server, which is another one with a log of its own.'
const OTHER_SERVER = 'its replication slot is one of another server, with a log of its own.'

/** What a slot is judged by. */
export interface SlotSurroundings extends Pick<Connections, 'history' | 'former'> {
  /** What is known of the subscription. */
  readonly recalled: RecalledSubscription
  /** Up to where its last session may have acknowledged; `null`: not known. */
  readonly limit: KnownLimit | null
}

/**
 * Why the server no longer has the changes after the acknowledged position; `null` where it has them, or nothing was
 * captured yet.
 */
export function positionLostReason(
  slot: IdleSlot | null,
  { missing, tables }: DurablePublications,
  surroundings: Pick<SlotSurroundings, 'history' | 'former'> & { readonly record: SubscriptionRecord | null },
): string | null {
  if (slot === null) {
    const { former } = surroundings
    // Where the publications are gone, too, only this process knows that there was anything.
    const isCapturing = tables.length > 0 || former?.isCapturing === true
    return isCapturing ? slotMissingReason(surroundings, missing) : null
  }
  if (slot.lost !== null) {
    const by = slot.lost === 'wal_removed' ? ': it would have kept more of the log than max_slot_wal_keep_size' : ''
    return `the server has invalidated its replication slot (${slot.lost}${by}).`
  }
  // A slot does not see a publication that is younger.
  if (missing.length > 0) return 'its publications were dropped.'
  // Why the stream before this one ended, in this process.
  const { cause, code } = surroundings.former?.cause ?? {}
  return sqlstateOf(cause) === UNDEFINED_OBJECT || code === 'ERR_POSITION_LOST'
    ? 'its publications were dropped, and made anew.'
    : null
}

/** Why there is no slot: it was dropped, or the server is another one than that which had it. */
function slotMissingReason(
  {
    history,
    former,
    record,
  }: Pick<SlotSurroundings, 'history' | 'former'> & { readonly record: SubscriptionRecord | null },
  missing: DurablePublications['missing'],
): string {
  const before = former?.inFlight.history ?? record
  if (before !== null && before.systemId !== history.systemId) return OTHER_SERVER_WITHOUT_SLOT
  if (before === null || before.timeline === null || before.timeline >= history.timeline) {
    return missing.length === 0
      ? 'its replication slot was dropped.'
      : `its replication slot and ${missing.length === 1 ? 'one of its ' : ''}publications were dropped.`
  }
  return `the server has taken over from the one that had its replication slot, and never had the slot itself (its timeline ${history.timeline} began at ${formatLsn(history.begin)}, and the slot was on timeline ${before.timeline}).`
}

/** Why a slot is not the one that the subscription was read from, or not where it was left; `null` where nothing says so. */
export function strangeSlotReason(
  slot: IdleSlot | null,
  { history, former, recalled: { record, isOwn, coverage }, limit }: SlotSurroundings,
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
  if (record.closedAt !== null) return slot.flushed > record.closedAt ? MOVED : null
  // A standby that took over may not have the last limit that was written down; an older version of the driver writes none.
  const isKnown = limit !== null && limit.session === record.session && limit.timeline === history.timeline
  return isKnown && slot.flushed > limit.limit ? MOVED : null
}

/** `pg_upgrade`, which keeps only slots of which everything was read, keeps the object ids of tables, and nothing else does. */
function isUpgraded(record: SubscriptionRecord, { tables }: Coverage): boolean {
  const isThere = ({ oid, schema, name }: KnownTable): boolean =>
    tables.some((table) => table.oid === oid && table.schema === schema && table.name === name)
  return record.tables.length > 0 && record.tables.every(isThere)
}

/** The subscription cannot go on, and nobody said that it should begin anew. */
export function positionLost({ subscription }: DurableName, reason: string): RowtapError {
  return new RowtapError('ERR_POSITION_LOST', {
    message:
      `Subscription ${JSON.stringify(subscription)} cannot go on where it ended: ${reason} ` +
      `Connect with onPositionLost: 'restart' to begin anew from now on, or remove it: rowtap uninstall --subscription ${subscription}`,
  })
}
