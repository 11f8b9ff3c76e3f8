import type { ChangeBatch, Transaction } from '@rowtap/core/driver'
import { snapshotVisibility } from './snapshot-visibility.ts'

/** With so many it is time to ask which of them can be seen. */
const MANY = 4096

/**
 * The transactions that were delivered and are not known to be visible to others. A transaction is sent before it is: between
 * the record of its commit and its end it may wait for a standby, as long as that takes.
 */
export class YieldedTransactions {
  readonly #look: () => Promise<string>
  /** In the order in which they were delivered: none is looked up often enough for a set to be worth what it costs. */
  #ids: string[] = []
  #last: Transaction | null = null
  #isLooking = false

  /** @param look takes a snapshot, of which it returns the text. */
  constructor(look: () => Promise<string>) {
    this.#look = look
  }

  /** These changes are about to be delivered. */
  add({ changes }: ChangeBatch): void {
    for (const { transaction } of changes) {
      if (transaction === this.#last) continue
      this.#last = transaction
      this.#ids.push(transaction.id)
    }
    if (this.#ids.length >= MANY && !this.#isLooking) void this.#lookOnce()
  }

  /** Those that a snapshot ({@link snapshotVisibility}) does not have; what it has is not asked for again. */
  hiddenFrom(state: string): readonly string[] {
    const sees = snapshotVisibility(state)
    this.#ids = this.#ids.filter((id) => !sees({ id, commitTime: null }))
    return [...new Set(this.#ids)]
  }

  /** These are no transactions of the server: a server before it had them. */
  forget(ids: readonly string[]): void {
    const forgotten = new Set(ids)
    this.#ids = this.#ids.filter((id) => !forgotten.has(id))
  }

  async #lookOnce(): Promise<void> {
    this.#isLooking = true
    try {
      this.hiddenFrom(await this.#look())
    } catch {
      // Without a connection nothing is delivered: the next batch asks again.
    }
    this.#isLooking = false
  }
}
