import type { Position } from '../contract/position.ts'

/** Some consecutive changes that are acknowledged together. */
export interface AcknowledgementEntry {
  /** How many deliveries of these changes are not done yet. */
  pending: number
  /** Left out for rows of a snapshot. */
  readonly first?: Position
  last: Position
  /** For rows of a snapshot, which are not acknowledged: called when all of their deliveries are done. */
  readonly handled?: () => void
}

/** Whether nothing of what is acknowledged with these entries is left to do. */
export function areDone(entries: readonly AcknowledgementEntry[]): boolean {
  return entries.every(({ pending }) => pending === 0)
}

/** How many entries there may be before those that are done, and in nobody's way, are taken together. */
const FEW_ENTRIES = 1024

/**
 * Knows up to where everything is done: the highest position at and before which every change of every listener
 * has been handled, however the listeners overtake each other.
 */
export class AcknowledgementTracker {
  readonly #acknowledge: (position: Position) => void
  #entries: AcknowledgementEntry[] = []
  #head = 0
  /** Rows of snapshots that are not done. */
  readonly #rows = new Set<AcknowledgementEntry>()
  /** With so many entries it is time to take some together. */
  #manyEntries = FEW_ENTRIES
  #stopped = false
  #acknowledged: Position | null = null

  constructor(acknowledge: (position: Position) => void) {
    this.#acknowledge = acknowledge
  }

  /** The last position that was acknowledged. */
  get acknowledged(): Position | null {
    return this.#acknowledged
  }

  /** Everything before this is done; `null`: all of it. */
  get firstUnfinished(): Position | null {
    return this.#entries[this.#head]?.first ?? null
  }

  /** How many deliveries are not done. */
  get unfinished(): number {
    let sum = 0
    for (const { pending } of this.#rows) sum += pending
    for (let index = this.#head; index < this.#entries.length; index++) sum += this.#entries[index]?.pending ?? 0
    return sum
  }

  /** How many entries are kept. */
  get size(): number {
    return this.#entries.length - this.#head
  }

  /**
   * Adds changes behind all that were added before. Call {@link settle} once their deliveries are counted.
   *
   * @param first the first of them, and the last as long as nobody says otherwise.
   */
  add(first: Position): AcknowledgementEntry {
    if (this.#entries.length >= this.#manyEntries) this.#compact()
    const entry: AcknowledgementEntry = { pending: 0, first, last: first }
    this.#entries.push(entry)
    return entry
  }

  /** Adds rows of a snapshot, whose deliveries are counted. They are in the way of nothing. */
  addRows(entry: AcknowledgementEntry): void {
    this.#rows.add(entry)
  }

  /** One delivery is done. */
  done(entry: AcknowledgementEntry): void {
    entry.pending -= 1
    if (entry.pending !== 0) return
    this.#rows.delete(entry)
    entry.handled?.()
    this.settle()
  }

  /** Acknowledges what is done from the front. */
  settle(): void {
    if (this.#stopped) return
    let position: Position | null = null
    let entry = this.#entries[this.#head]
    while (entry !== undefined && entry.pending === 0) {
      position = entry.last
      this.#head += 1
      entry = this.#entries[this.#head]
    }
    if (this.#head === this.#entries.length) {
      this.#entries = []
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head)
      this.#head = 0
    }
    if (position === null) return
    this.#acknowledged = position
    this.#acknowledge(position)
  }

  /** Where a delivery takes long, what is done behind it must not fill the memory: of a run of it, the last says all. */
  #compact(): void {
    const entries = this.#entries.slice(this.#head)
    this.#entries = entries.filter((entry, index) => entry.pending > 0 || entries[index + 1]?.pending !== 0)
    this.#head = 0
    this.#manyEntries = Math.max(FEW_ENTRIES, this.#entries.length * 2)
  }

  /** Nothing is acknowledged from now on. */
  stop(): void {
    this.#stopped = true
  }
}
