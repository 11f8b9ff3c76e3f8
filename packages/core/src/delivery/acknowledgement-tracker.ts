import type { Position } from '../contract/position.ts'

/** Some consecutive changes that are acknowledged together. */
export interface AcknowledgementEntry {
  /** How many deliveries of these changes are not done yet. */
  pending: number
  last: Position
}

/**
 * Knows up to where everything is done: the highest position at and before which every change of every listener
 * has been handled, however the listeners overtake each other.
 */
export class AcknowledgementTracker {
  readonly #acknowledge: (position: Position) => void
  #entries: AcknowledgementEntry[] = []
  #head = 0
  #stopped = false
  #acknowledged: Position | null = null

  constructor(acknowledge: (position: Position) => void) {
    this.#acknowledge = acknowledge
  }

  /** The last position that was acknowledged. */
  get acknowledged(): Position | null {
    return this.#acknowledged
  }

  /** Adds changes behind all that were added before. Call {@link settle} once their deliveries are counted. */
  add(last: Position): AcknowledgementEntry {
    const entry: AcknowledgementEntry = { pending: 0, last }
    this.#entries.push(entry)
    return entry
  }

  /** One delivery is done. */
  done(entry: AcknowledgementEntry): void {
    entry.pending -= 1
    if (entry.pending === 0) this.settle()
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

  /** Nothing is acknowledged from now on. */
  stop(): void {
    this.#stopped = true
  }
}
