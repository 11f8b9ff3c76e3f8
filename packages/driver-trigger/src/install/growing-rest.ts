const FIRST_MS = 2000
const LONGEST_MS = 60_000

/**
 * The time between attempts to do what can wait and needs a lock that others may hold: writers queue behind whoever waits
 * for one, so each failure makes the next attempt rarer.
 */
export class GrowingRest {
  #ms = FIRST_MS
  #until = Number.NEGATIVE_INFINITY

  /** Whether it is time for an attempt. */
  get isOver(): boolean {
    return performance.now() >= this.#until
  }

  /** An attempt has failed. */
  begin(): void {
    this.#until = performance.now() + this.#ms
    this.#ms = Math.min(this.#ms * 2, LONGEST_MS)
  }
}
