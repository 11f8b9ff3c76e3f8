/** How many rows are read before it is known how long rows take. */
const FIRST_ROWS = 100
const LEAST_ROWS = 10
const MOST_ROWS = 10_000
/** How much larger a piece may be than the one before. */
const GROWTH = 8
/** For about how long a piece's rows are handled, in milliseconds. */
const PIECE_MS = 1000

/** Rows that were given to handlers. */
export interface GivenRows {
  /** How many of them are not handled yet. */
  readonly pending: number
}

/**
 * How many rows to read at once: about as many as are handled in a second. A reading goes on behind the last piece whose
 * rows are all handled, so that whoever ends in the middle repeats that much.
 */
export class PieceSize {
  readonly #now: () => number
  readonly #given = new Set<GivenRows>()
  #rows = FIRST_ROWS
  /** What was handled, and in which time. What is long ago counts little. */
  #handledRows = 0
  #handledMs = 0
  #lastHandledAt = Number.NEGATIVE_INFINITY

  /** @param now the time, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** At most so many rows. */
  get rows(): number {
    return this.#rows
  }

  /** Whether as many rows as a piece has wait for handlers, so that another one can wait. */
  get isEnough(): boolean {
    let waiting = 0
    for (const { pending } of this.#given) waiting += pending
    return waiting >= this.#rows
  }

  /**
   * A piece was read.
   *
   * @param rows how many it has, also those that nobody wants.
   * @returns what is to be called once what was given of them is handled.
   */
  read(rows: number, given: GivenRows): () => void {
    const readAt = this.#now()
    this.#given.add(given)
    return () => {
      const now = this.#now()
      this.#given.delete(given)
      // Until then the handlers had rows of the pieces before it.
      this.#handledMs = this.#handledMs / 2 + now - Math.max(readAt, this.#lastHandledAt)
      this.#handledRows = this.#handledRows / 2 + rows
      this.#lastHandledAt = now
      if (rows === 0) return
      const fitting = this.#handledMs > 0 ? Math.round((this.#handledRows * PIECE_MS) / this.#handledMs) : MOST_ROWS
      this.#rows = Math.min(Math.max(fitting, LEAST_ROWS), this.#rows * GROWTH, MOST_ROWS)
    }
  }
}
