import { within } from '../client/within.ts'
import type { StopReport } from '../client.ts'
import type { End, HandlerCall } from './handler-call.ts'
import { currentCall, waitFor } from './inside-handler.ts'
import type { TableListener } from './table-listener.ts'

/** What ends with a listener, from the moment on in which it takes no further changes. */
export class ListenerEnd {
  readonly #listener: TableListener
  /** Resolves when the source knows. */
  readonly #detached: Promise<void>
  /** Resolves when nothing more is handed over, no handler runs, or not in time, and the source knows. */
  readonly #over: Promise<void>

  constructor(listener: TableListener, timeoutMs: number) {
    this.#listener = listener
    this.#detached = listener.owner.detach(listener)
    this.#over = this.#end(timeoutMs)
  }

  /**
   * Resolves when the listener is over. A handler that asks is not waited for, nor one that waits for it: what these keep
   * from ending ends behind them.
   */
  async stopped(): Promise<StopReport> {
    const call = currentCall()
    if (call === null) await this.#over
    else await this.#overBut(call, this.#listener)
    return { unfinished: this.#listener.unhandled }
  }

  async #overBut(call: HandlerCall, end: End): Promise<void> {
    const waitsNoMore = waitFor(call, end)
    try {
      await Promise.race([this.#over, this.#listener.waitsFor(call)])
    } finally {
      waitsNoMore()
    }
    await this.#detached
    // Nobody may be there to hear of what fails behind.
    this.#over.catch((error: unknown) => this.#listener.owner.failed(error))
  }

  async #end(timeoutMs: number): Promise<void> {
    await within(timeoutMs, this.#listener.drain(null))
    this.#listener.end('left')
    await this.#detached
    await this.#listener.owner.ended?.()
  }
}
