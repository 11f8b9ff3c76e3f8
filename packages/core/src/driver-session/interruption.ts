/**
 * Ends the waiting for pieces of work when something happens once. Of those that are done it keeps nothing: a promise that
 * is raced again and again would remember every race.
 */
export class Interruption {
  readonly #waiting = new Set<(reason: Error) => void>()
  #reason: Error | null = null

  /** It has happened: whatever is waited for, now or later, fails with this reason. Only the first call counts. */
  interrupt(reason: Error): void {
    if (this.#reason !== null) return
    this.#reason = reason
    for (const reject of this.#waiting) reject(reason)
    this.#waiting.clear()
  }

  /** What a piece of work comes to, unless it happens first; then the work is left to itself. */
  async unless<T>(work: () => Promise<T>): Promise<T> {
    if (this.#reason !== null) throw this.#reason
    const { promise, reject } = Promise.withResolvers<never>()
    this.#waiting.add(reject)
    try {
      return await Promise.race([work(), promise])
    } finally {
      this.#waiting.delete(reject)
    }
  }
}
