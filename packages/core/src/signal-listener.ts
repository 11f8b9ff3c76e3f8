import type { Capabilities } from './capabilities/capabilities.ts'
import type { EventHandler, Listener } from './client.ts'
import type { AckMode, ListenerSignal } from './event.ts'

/**
 * A wish to know that one table has changed, without the rows. Signals go to its handlers, or to one `for await` loop, in
 * order, one at a time. While these are busy at most one signal waits for each operation, which stands for all that is
 * written until it is handed over: nothing is kept of the rest, and the last one is never lost.
 */
export interface SignalListener<C extends Capabilities = Capabilities, A extends AckMode = 'auto'>
  extends AsyncIterable<ListenerSignal<C, A>>, AsyncDisposable {
  /**
   * Resolves when the listener is live: no change that commits from then on is missed.
   * Rejects with a RowtapError where it cannot be attached, and with ERR_ABORTED where its signal is aborted before.
   */
  readonly ready: Promise<void>
  /** Adds a handler. Returns the function that removes it. */
  on(kind: 'signal' | 'change', handler: EventHandler<ListenerSignal<C, A>>): () => void
  /** As of a listener with rows: takes no further signals, and hands over those that wait. */
  readonly stop: Listener['stop']
}
