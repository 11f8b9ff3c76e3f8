import type { KeyTexts } from '../contract/snapshot-source.ts'
import type { QueuedChange } from '../delivery/queued-change.ts'
import type { KeyRange, KeyRanges } from './key-ranges.ts'
import { keyName } from './key-ranges.ts'

/** What is to be known of a change's keys. */
export interface KeyPlaces {
  /** The key of the row before the change. */
  before(item: QueuedChange): KeyTexts
  /** The key of the row after the change. */
  after(item: QueuedChange): KeyTexts
  /** The number of the ranges' boundaries that are smaller than the key. */
  placeOf(key: KeyTexts): number
}

/**
 * What becomes of a change while its table is read: `'drop'` it, or deliver this, which may be half of it. `'again'`: what is
 * to be read has changed, and the change is to be judged again.
 */
export type Judgement = QueuedChange | 'drop' | 'again'

/**
 * Judges one change. What of it concerns a key that is not read yet is left to the reading; so is what the reading of
 * the key has seen. Everything else is delivered, so that of each key there is first its row and then every change of it.
 *
 * - A change of the key is a delete and an insert, each judged by its own key.
 * - Where rows may have been delivered before the reading (they are read again), their end is told, even if the reading
 *   has seen it: unless it has found the row again.
 * - Where the row before the change was not given, and the row after it lacks a value that the database did not send, the
 *   row is read again: whoever receives it could not know that value.
 * - A truncate that no reading has seen is delivered. One that some have seen and some have not is delivered, and all rows
 *   are read again: what was read after it must not be taken to be gone. One that all have seen is not.
 */
export function judgeChange(item: QueuedChange, ranges: KeyRanges, places: KeyPlaces): Judgement {
  switch (item.transition) {
    case 'truncate':
      return judgeTruncate(item, ranges)
    case 'insert':
    case 'derived insert':
    case 'update':
      return concerns(item, rangeOf(places.after(item), ranges, places)) === 'deliver' ? item : 'drop'
    case 'delete':
    case 'derived delete':
      return isEndTold(item, ranges, places) ? item : 'drop'
    case 'derived delete and insert':
      return judgeHalves(item, ranges, places)
    case 'snapshot':
    case 'signal':
      return item
  }
}

function judgeHalves(item: QueuedChange, ranges: KeyRanges, places: KeyPlaces): Judgement {
  const target = rangeOf(places.after(item), ranges, places)
  const hasEnd = isEndTold(item, ranges, places)
  const hasBeginning = concerns(item, target) === 'deliver'
  const wasGiven = concerns(item, rangeOf(places.before(item), ranges, places)) === 'deliver'
  if (hasBeginning && !wasGiven && target !== undefined && lacksValue(item)) {
    ranges.reopen(target)
    return 'again'
  }
  if (hasEnd && hasBeginning) return item
  if (hasEnd) return { ...item, transition: 'derived delete' }
  return hasBeginning ? { ...item, transition: 'derived insert' } : 'drop'
}

function judgeTruncate(item: QueuedChange, ranges: KeyRanges): Judgement {
  const verdicts = ranges.all.map((range) => concerns(item, range))
  if (!verdicts.includes('deliver') && !ranges.all.some(({ mayHaveRows }) => mayHaveRows)) return 'drop'
  if (verdicts.includes('seen')) {
    ranges.reset(true)
    return 'again'
  }
  ranges.emptied()
  return item
}

function rangeOf(key: KeyTexts, ranges: KeyRanges, places: KeyPlaces): KeyRange | undefined {
  return ranges.at(places.placeOf(key))
}

function isEndTold(item: QueuedChange, ranges: KeyRanges, places: KeyPlaces): boolean {
  const key = places.before(item)
  const range = rangeOf(key, ranges, places)
  if (concerns(item, range) === 'deliver') return true
  return range?.mayHaveRows === true && range.given?.has(keyName(key)) !== true
}

function concerns({ routed }: QueuedChange, range: KeyRange | undefined): 'unread' | 'seen' | 'deliver' {
  const { transaction, position } = routed.change
  if (range?.state === 'unread') return 'unread'
  const view = range?.view ?? null
  return view !== null && position <= view.until && view.sees(transaction) ? 'seen' : 'deliver'
}

function lacksValue({ routed, projection }: QueuedChange): boolean {
  return projection.columns.some(({ index }) => routed.after?.text(index) === undefined)
}
