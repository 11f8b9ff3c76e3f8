import type { DeliveredEvent } from '../event.ts'
import { Histogram } from './histogram.ts'
import { wallTime } from './wall-time.ts'

/** How long one delivery took, and how late it was. */
export interface DeliveryTiming {
  /** How long the handlers took, retries included. */
  readonly durationMs: number
  /** How long after its commit the event was handed over; `null` where the commit time is not known. */
  readonly delayMs: number | null
}

/** How long deliveries take, of all listeners of a client: ten thousand histograms would be looked at by nobody. */
export class DeliveryTimes {
  /** How long handlers, or loops, took for an event, retries included. */
  readonly handlerDuration: Histogram = new Histogram()
  /** How long after its commit an event was handed over. */
  readonly delay: Histogram = new Histogram()
  #lastCommit: Date | null = null

  /** An event's handlers, or loop, are done with it. */
  delivered(event: DeliveredEvent, durationMs: number, delayMs: number | null): void {
    this.#record(durationMs, delayMs)
    const commitTime = event.transaction?.commitTime ?? null
    if (commitTime !== null) this.#lastCommit = commitTime
  }

  /** An event's handlers have failed for good. */
  failed(durationMs: number, delayMs: number | null): void {
    this.#record(durationMs, delayMs)
  }

  /** How long ago the last delivered change was committed; `null` where that is not known. */
  get lagMs(): number | null {
    return this.#lastCommit === null ? null : Math.max(0, Date.now() - this.#lastCommit.getTime())
  }

  #record(durationMs: number, delayMs: number | null): void {
    this.handlerDuration.record(durationMs)
    if (delayMs !== null) this.delay.record(delayMs)
  }
}

/**
 * How long after its commit an event was handed over, at a time by `performance.now()`; `null` where the commit time is
 * not known. Two clocks may differ: it is never less than nothing.
 */
export function delayOf(event: DeliveredEvent, startedAt: number): number | null {
  const commitTime = event.transaction?.commitTime ?? null
  return commitTime === null ? null : Math.max(0, wallTime(startedAt) - commitTime.getTime())
}
