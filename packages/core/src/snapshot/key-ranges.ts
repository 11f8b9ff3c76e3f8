import type { Transaction } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { KeyTexts } from '../contract/snapshot-source.ts'

/** What one reading has seen of the changes. */
export interface SnapshotView {
  /** The snapshot, as the driver prints it. */
  readonly state: string
  /** Nothing after this position is in it. */
  readonly until: Position
  readonly sees: (transaction: Transaction) => boolean
}

/** Some consecutive keys of which the same holds. They begin after the last key of the range before. */
export interface KeyRange {
  /** The last key; `null`: to the end of all keys. */
  upTo: KeyTexts | null
  /**
   * - `'unread'`: the rows are still to be read.
   * - `'read'`: they were.
   */
  state: 'unread' | 'read'
  /** What the reading saw, as long as changes may come that it saw; `null`: none will. */
  view: SnapshotView | null
  /** The same, as long as such changes may come again after a crash. */
  kept: SnapshotView | null
  /** Whether rows may have been delivered before the reading, so that their end must be told, although it has seen that. */
  mayHaveRows: boolean
  /** Where that is so, and it was read: the keys of the rows that were given, as {@link keyName} has them. */
  given: ReadonlySet<string> | null
  /** Whether rows that were read are not handled. */
  isPending: boolean
}

/** Ranges whose changes are all past are joined where there are more than this: it is what has to be read again at most. */
const KEPT_RANGES = 256

/**
 * Which keys of a table were read, and when: ranges that together hold every key. Knows nothing of how keys compare.
 *
 * ```
 * unread ──a chunk──▶ read ──pass(): its changes are handled──▶ without a view ──settle(): for good──▶ without a kept one
 *    ▲                 │                                              │
 *    └────reopen()─────┴──────────────────────────────────────────────┘
 * ```
 */
export class KeyRanges {
  readonly #isResumed: boolean
  #ranges: KeyRange[]
  #boundaries: { readonly version: number; readonly keys: readonly KeyTexts[] } | null = null
  /** Grows whenever a boundary comes or goes: places that were found before do not hold any more. */
  version = 0

  /** @param kept what an earlier run has come to; left out for a new one. */
  constructor(kept?: readonly KeyRange[]) {
    this.#isResumed = kept !== undefined
    this.#ranges = [...(kept ?? [unread(null, false)])]
  }

  get all(): readonly KeyRange[] {
    return this.#ranges
  }

  /** The last keys of all ranges that have one. The place of a key is the number of those that are smaller. */
  get boundaries(): readonly KeyTexts[] {
    // Asked for with every change.
    if (this.#boundaries?.version !== this.version) {
      const keys = this.#ranges.flatMap(({ upTo }) => (upTo === null ? [] : [upTo]))
      this.#boundaries = { version: this.version, keys }
    }
    return this.#boundaries.keys
  }

  get isRead(): boolean {
    return this.#ranges.every(({ state }) => state === 'read')
  }

  /** How many readings may have seen changes that are still to come. */
  get views(): number {
    return this.#ranges.reduce((count, { kept }) => (kept === null ? count : count + 1), 0)
  }

  at(place: number): KeyRange | undefined {
    return this.#ranges[place]
  }

  /** The first keys that are to be read: after one, up to another. */
  nextUnread(): { readonly after: KeyTexts | null; readonly upTo: KeyTexts | null } | null {
    const place = this.#ranges.findIndex(({ state }) => state === 'unread')
    const range = this.#ranges[place]
    if (range === undefined) return null
    return { after: this.#ranges[place - 1]?.upTo ?? null, upTo: range.upTo }
  }

  /**
   * The first unread range was read as far as this key.
   *
   * @param last the last key that was read; `null`: all of the range was.
   * @returns the range that was read.
   */
  read(last: KeyTexts | null, view: SnapshotView): KeyRange | null {
    const place = this.#ranges.findIndex(({ state }) => state === 'unread')
    const range = this.#ranges[place]
    if (range === undefined) return null
    const { mayHaveRows } = range
    const upTo = last ?? range.upTo
    const done: KeyRange = { upTo, state: 'read', view, kept: view, mayHaveRows, given: null, isPending: true }
    this.#ranges.splice(place, 1, ...(last === null ? [done] : [done, range]))
    this.version += 1
    return done
  }

  /** The rows of a range have to be read again. */
  reopen(range: KeyRange): void {
    range.state = 'unread'
    range.view = null
    range.kept = null
    range.mayHaveRows = true
    range.given = null
    range.isPending = false
  }

  /** All rows have to be read again. */
  reset(mayHaveRows: boolean): void {
    this.#ranges = [unread(null, mayHaveRows)]
    this.version += 1
  }

  /** The table was emptied: nothing that was delivered before is left, if the receiver has not been told of this before. */
  emptied(): void {
    if (this.#isResumed) return
    for (const range of this.#ranges) endTelling(range)
  }

  /**
   * Forgets what readings saw of changes that are past.
   *
   * @param handled whether every change up to a position is handled, and will come only after a crash.
   * @param settled whether none up to a position will ever come again.
   */
  pass(handled: (until: Position) => boolean, settled: (until: Position) => boolean): void {
    for (const range of this.#ranges) {
      if (range.view !== null && (handled(range.view.until) || settled(range.view.until))) {
        range.view = null
        endTelling(range)
      }
      if (range.kept !== null && settled(range.kept.until)) range.kept = null
    }
    this.#join()
  }

  /** Joins neighbours of one reading, or of readings that are past. */
  #join(): void {
    const excess = this.#ranges.length > KEPT_RANGES
    const joined: KeyRange[] = []
    // Pairs only, so that what is joined stays of about one size.
    let hasGrown = false
    for (const range of this.#ranges) {
      const before = joined.at(-1)
      const isSame = before !== undefined && isSettled(before) && isSettled(range) && isOneReading(before, range)
      const mayGrow = isSame && (range.kept !== null || (excess && !hasGrown))
      if (before !== undefined && mayGrow) {
        before.upTo = range.upTo
        hasGrown = true
      } else {
        joined.push(range)
        hasGrown = false
      }
    }
    if (joined.length === this.#ranges.length) return
    this.#ranges = joined
    this.version += 1
  }
}

/** A range whose rows are still to be read. */
export function unread(upTo: KeyTexts | null, mayHaveRows: boolean): KeyRange {
  return { upTo, state: 'unread', view: null, kept: null, mayHaveRows, given: null, isPending: false }
}

/** A key as a member of a set. */
export function keyName(key: KeyTexts): string {
  return JSON.stringify(key)
}

/** No row is left that was delivered before. */
function endTelling(range: KeyRange): void {
  range.mayHaveRows = false
  range.given = null
}

function isSettled({ state, isPending, mayHaveRows }: KeyRange): boolean {
  return state === 'read' && !isPending && !mayHaveRows
}

function isOneReading(one: KeyRange, other: KeyRange): boolean {
  if ((one.view === null) !== (other.view === null)) return false
  if (one.kept === null || other.kept === null) return one.kept === other.kept
  return one.kept.state === other.kept.state && one.kept.until === other.kept.until
}
