import { within } from '../client/within.ts'
import type { StopReport } from '../client.ts'
import type { End, HandlerCall } from './handler-call.ts'
import { currentCall, waitFor } from './inside-handler.ts'
import type { TableListener } from './table-listener.ts'

/**
 * What ends with a listener, from the moment on in which it takes no further changes. Each who asks for the end waits for
 * as long as they said; what waits is left when the last of these times is over.
 */
export class ListenerEnd {
  readonly #listener: TableListener
  /** Resolves when the source knows. */
  #detached: Promise<void>
  readonly #givenUp = Promise.withResolvers<void>()
  /** Resolves when nothing more is handed over and no handler runs, or not in anybody's time. */
  readonly #drained: Promise<void>
  /** Resolves when that is so, and the source knows. */
  readonly #over: Promise<void>
  /** Whose times are not over. */
  #waiting = 0

  constructor(listener: TableListener) {
    this.#listener = listener
    this.#detached = listener.owner.detach(listener)
    this.#drained = Promise.race([listener.drain(null), this.#givenUp.promise])
    this.#over = this.#end()
  }

  /**
   * Resolves when the listener is over, or so many milliseconds are, and the source knows. A handler that asks is not
   * waited for, nor one that waits for it: what these keep from ending ends behind them.
   */
  async stopped(timeoutMs: number): Promise<StopReport> {
    const over = this.#overWithin(timeoutMs)
    const call = currentCall()
    if (call === null) await over
    else await this.#overBut(over, call, this.#listener)
    await this.#detached
    return { unfinished: this.#listener.unhandled }
  }

  /** The listener's owner is told once more: what is wanted of the source may be another thing now. */
  detachAgain(): void {
    this.#detached = this.#detached.then(() => this.#listener.owner.detach(this.#listener))
    // It is told where it is waited for.
    this.#detached.catch(() => undefined)
  }

  /** Handlers are waited for no longer: nobody has time left, or the client is at its end. */
  giveUp(): void {
    this.#givenUp.resolve()
  }

  async #overWithin(timeoutMs: number): Promise<void> {
    this.#waiting += 1
    const isDrained = await within(timeoutMs, this.#drained)
    this.#waiting -= 1
    if (this.#waiting === 0) this.giveUp()
    // Where others have more time, the listener is over only with theirs.
    await (isDrained || this.#waiting === 0 ? this.#over : this.#detached)
  }

  async #overBut(over: Promise<void>, call: HandlerCall, end: End): Promise<void> {
    const waitsNoMore = waitFor(call, end)
    try {
      await Promise.race([over, this.#listener.waitsFor(call)])
    } finally {
      waitsNoMore()
    }
    await this.#detached
    // Nobody may be there to hear of what fails behind.
    over.catch((error: unknown) => this.#listener.owner.failed(error))
  }

  async #end(): Promise<void> {
    await this.#drained
    this.#listener.end('left')
    await this.#detached
    await this.#listener.owner.ended?.()
  }
}
