/** When the server was down: what fails then fails without a consumer, too. */
export class Outages {
  #begun = 0
  #ended = 0

  /** Runs something during which the server is down for a while. */
  async during(work: () => Promise<void>): Promise<void> {
    this.#begun += 1
    try {
      await work()
    } finally {
      this.#ended += 1
    }
  }

  /** This moment, for {@link hasBeenOneSince}. */
  mark(): number {
    return this.#ended
  }

  /** Whether the server was down at this moment, or has been since. */
  hasBeenOneSince(mark: number): boolean {
    return this.#begun > mark
  }
}
