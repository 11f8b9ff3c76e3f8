import type { Position } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import type { Lsn } from './lsn.ts'
import { halvesOf, lastByteAnd, lsnDigitsOfHalves } from './lsn.ts'
import { TimelineHistory } from './timeline-history.ts'

/*
 * A position is the place of the transaction's commit record, the place of the change's own record, and what tells apart
 * the changes of one record: `000000001a2b3c40/000000001a2b3b08-00000000`. Transactions arrive in the order of their
 * commit records, and the changes of one in the order of their own. Nothing in it depends on what else is captured: a
 * change that is delivered again has the position that it had. Where a standby has become the primary, the timeline of the
 * commit record is before it: `t00000002/000000001a2b3c40/…`.
 */

const LAST_OF_PREFIX = lastByteAnd('/')

/** What the positions of a transaction's changes begin with. */
export function positionPrefix(commit: Lsn, history: TimelineHistory = TimelineHistory.first): string {
  const [high, low] = halvesOf(commit)
  return positionPrefixOfHalves(high, low, history.prefixAt(commit))
}

/** The same, from the two halves of the place of its commit record, and what that place's timeline begins with. */
export function positionPrefixOfHalves(high: number, low: number, timelinePrefix: string): string {
  return timelinePrefix + lsnDigitsOfHalves(high, low, LAST_OF_PREFIX)
}

/** Greater than the position of all whose commit record is before this place, and smaller than of all others. */
export function positionBefore(place: Lsn, history: TimelineHistory = TimelineHistory.first): Position {
  const last = place > 0n ? place - 1n : 0n
  return position(`${positionPrefix(last, history)}ffffffffffffffff-ffffffff`)
}
