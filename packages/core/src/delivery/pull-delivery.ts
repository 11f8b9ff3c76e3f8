import type { ChangeEvent } from '../event.ts'

/** Where a loop's events come from. */
export interface PullSource {
  /** The next event, or `null` where none waits now. The event before it counts as done. */
  next(): ChangeEvent | null
  /** The loop was left: nothing more is wanted. */
  left(): Promise<void>
}

interface Waiter {
  readonly resolve: (result: IteratorResult<ChangeEvent, undefined>) => void
  readonly reject: (error: unknown) => void
}

/** One `for await` loop over a listener. An event is done when the loop asks for the one after it. */
export class PullLoop implements AsyncIterableIterator<ChangeEvent, undefined> {
  readonly #source: PullSource
  readonly #waiters: Waiter[] = []
  #end: { readonly error: unknown } | 'done' | null = null

  constructor(source: PullSource) {
    this.#source = source
  }

  /** Whether the loop has everything there was, and asks for more. */
  get isWaiting(): boolean {
    return this.#waiters.length > 0
  }

  next(): Promise<IteratorResult<ChangeEvent, undefined>> {
    if (this.#end === 'done') return Promise.resolve({ done: true, value: undefined })
    if (this.#end !== null) return Promise.reject(this.#end.error)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.wake()
    })
  }

  async return(): Promise<IteratorResult<ChangeEvent, undefined>> {
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
      let event: ChangeEvent | null
      try {
        event = this.#source.next()
      } catch (error) {
        this.fail(error)
        return
      }
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
}
