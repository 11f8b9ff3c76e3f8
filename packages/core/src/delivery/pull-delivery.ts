import type { DeliveredEvent } from '../event.ts'
import type { DeliverySource, TakenChange } from './taken-change.ts'

/** Where a loop's events come from. */
export interface PullSource extends DeliverySource {
  /** The loop, which had this event from a time by `performance.now()` on, has gone on from it. */
  delivered(event: DeliveredEvent, taken: TakenChange, startedAt: number): void
  /** The loop was left: nothing more is wanted, and what it had is not done. */
  left(): Promise<unknown>
}

interface Waiter {
  readonly resolve: (result: IteratorResult<DeliveredEvent, undefined>) => void
  readonly reject: (error: unknown) => void
}

/** One `for await` loop over a listener. An event is done when the loop asks for the one after it. */
export class PullLoop implements AsyncIterableIterator<DeliveredEvent, undefined> {
  readonly #source: PullSource
  readonly #waiters: Waiter[] = []
  /** The event that the loop has, and since when. */
  #held: { readonly taken: TakenChange; readonly index: number; readonly startedAt: number } | null = null
  #end: { readonly error: unknown } | 'done' | null = null

  constructor(source: PullSource) {
    this.#source = source
  }

  next(): Promise<IteratorResult<DeliveredEvent, undefined>> {
    if (this.#end === 'done') {
      // The listener ended while the loop was busy with this event, which it now is done with all the same.
      this.#goOn()
      return Promise.resolve({ done: true, value: undefined })
    }
    if (this.#end !== null) return Promise.reject(this.#end.error)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.wake()
    })
  }

  async return(): Promise<IteratorResult<DeliveredEvent, undefined>> {
    this.forget()
    this.end()
    await this.#source.left()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** There may be an event. */
  wake(): void {
    while (this.#waiters.length > 0 && this.#end === null) {
      const event = this.#nextEvent()
      if (event === null) return
      this.#waiters.shift()?.resolve({ done: false, value: event })
    }
  }

  /** No event will follow. */
  end(): void {
    this.#end ??= 'done'
    for (const waiter of this.#waiters.splice(0)) waiter.resolve({ done: true, value: undefined })
  }

  /** The loop throws from now on. */
  fail(error: unknown): void {
    this.#end ??= { error }
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
  }

  /** What the loop has is no business of anybody's any more. */
  forget(): void {
    this.#held = null
  }

  #nextEvent(): DeliveredEvent | null {
    const held = this.#goOn()
    const following = held === null ? null : this.#hand(held.taken, held.index + 1)
    if (following !== null) return following
    const taken = this.#source.take()
    return taken === null ? null : this.#hand(taken, 0)
  }

  /** Asking for the next event says that the one before it is done. Returns that one. */
  #goOn(): { readonly taken: TakenChange; readonly index: number } | null {
    const held = this.#held
    if (held === null) return null
    this.#held = null
    const event = held.taken.events[held.index]
    if (event !== undefined) this.#source.delivered(event, held.taken, held.startedAt)
    return held
  }

  #hand(taken: TakenChange, index: number): DeliveredEvent | null {
    const event = taken.events[index]
    if (event === undefined) return null
    this.#held = { taken, index, startedAt: performance.now() }
    return event
  }
}
