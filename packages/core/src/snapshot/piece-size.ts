/** How many rows are read before it is known how long rows take. */
const FIRST_ROWS = 100
const LEAST_ROWS = 10
const MOST_ROWS = 10_000
/** How much larger a piece may be than the one before. */
const GROWTH = 8
/** For about how long a piece's rows are handled, in milliseconds. */
const PIECE_MS = 1000
/** How many pieces may be with the handlers when another one is read. */
const MOST_WAITING = 2

/**
 * How many rows to read at once: about as many as are handled in a second. A reading goes on behind the last piece whose
 * rows are all handled, so that whoever ends in the middle repeats that much.
 */
export class PieceSize {
  readonly #now: () => number
  #rows = FIRST_ROWS
  #waiting = 0
  #lastHandledAt = Number.NEGATIVE_INFINITY

  /** @param now the time, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** At most so many rows. */
  get rows(): number {
    return this.#rows
  }

  /** Whether so many pieces are with the handlers that another one can wait. */
  get isEnough(): boolean {
    return this.#waiting >= MOST_WAITING
  }

  /** A piece was read. Returns what is to be called once its rows are handled. */
  given(rows: number): () => void {
    const givenAt = this.#now()
    this.#waiting += 1
    return () => {
      const now = this.#now()
      // Until then the handlers had the rows before it.
      const tookMs = now - Math.max(givenAt, this.#lastHandledAt)
      this.#waiting -= 1
      this.#lastHandledAt = now
      if (rows === 0) return
      const fitting = tookMs > 0 ? Math.round((rows * PIECE_MS) / tookMs) : MOST_ROWS
      this.#rows = Math.min(Math.max(fitting, LEAST_ROWS), this.#rows * GROWTH, MOST_ROWS)
    }
  }
}
