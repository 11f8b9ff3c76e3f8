import type { Position } from '@rowtap/core'

/** What has a place in the stream. */
export interface Placed {
  readonly position: Position
}

interface WaitingEvent<E extends Placed> {
  readonly event: E
  readonly written: PromiseWithResolvers<void>
}

/**
 * Brings the events of several listeners, and messages, into the order of the stream, so that a transaction over two
 * tables is printed as it was made.
 *
 * Each listener has one event out at a time. What has been received reaches every listener within one turn of the
 * event loop, and what is received later has a greater position. So, at the turn's end, the least position of
 * those that wait is the next in the stream.
 */
export class OrderedEvents<E extends Placed> {
  readonly #write: (event: E) => Promise<void> | undefined
  readonly #waiting = new Set<WaitingEvent<E>>()
  #writing = false

  constructor(write: (event: E) => Promise<void> | undefined) {
    this.#write = write
  }

  /** Resolves when the event is written. */
  add(event: E): Promise<void> {
    const waiting = { event, written: Promise.withResolvers<void>() }
    this.#waiting.add(waiting)
    if (!this.#writing) {
      this.#writing = true
      setImmediate(() => void this.#writeNext())
    }
    return waiting.written.promise
  }

  async #writeNext(): Promise<void> {
    let next: WaitingEvent<E> | undefined
    for (const waiting of this.#waiting) {
      if (next === undefined || waiting.event.position < next.event.position) next = waiting
    }
    if (next === undefined) {
      this.#writing = false
      return
    }
    this.#waiting.delete(next)
    try {
      await this.#write(next.event)
      next.written.resolve()
    } catch (error) {
      next.written.reject(error)
    }
    setImmediate(() => void this.#writeNext())
  }
}
