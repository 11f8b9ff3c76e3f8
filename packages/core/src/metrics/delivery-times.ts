import type { ChangeEvent } from '../event.ts'
import { Histogram } from './histogram.ts'

/** How long deliveries take, of all listeners of a client: ten thousand histograms would be looked at by nobody. */
export class DeliveryTimes {
  /** How long handlers, or loops, take for an event, retries included. */
  readonly handlerDuration: Histogram = new Histogram()
  /** How long after its commit an event is handed over. */
  readonly delay: Histogram = new Histogram()
  #lastCommit: Date | null = null

  /** An event is handed over now. */
  begun(event: ChangeEvent): void {
    const delayMs = sinceCommitMs(event, Date.now())
    if (delayMs !== null) this.delay.record(delayMs)
  }

  /** An event's handlers, or loop, are done with it. */
  delivered(event: ChangeEvent, milliseconds: number): void {
    this.handlerDuration.record(milliseconds)
    if (event.transaction.commitTime !== null) this.#lastCommit = event.transaction.commitTime
  }

  /** How long ago the last delivered change was committed; `null` where that is not known. */
  get lagMs(): number | null {
    return this.#lastCommit === null ? null : Math.max(0, Date.now() - this.#lastCommit.getTime())
  }
}

/**
 * How long before a moment (as of `Date.now`) an event's change was committed; `null` where that is not known. Two clocks
 * may differ: it is never less than nothing.
 */
export function sinceCommitMs(event: ChangeEvent, moment: number): number | null {
  const { commitTime } = event.transaction
  return commitTime === null ? null : Math.max(0, moment - commitTime.getTime())
}
