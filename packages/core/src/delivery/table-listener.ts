import type { EventHandler, Listener } from '../client.ts'
import type { Change, Transaction } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { Relation } from '../contract/relation.ts'
import { eventsOf } from '../dispatch/events-of.ts'
import type { Projection } from '../dispatch/projection.ts'
import { projection } from '../dispatch/projection.ts'
import type { ChangeEvent, EventKind } from '../event.ts'
import { invalidOptions } from '../options/check-option-names.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { AcknowledgementEntry } from './acknowledgement-tracker.ts'
import type { QueuedChange } from './change-queue.ts'
import { ChangeQueue } from './change-queue.ts'
import { deliverInside, isInsideHandlerOf } from './inside-handler.ts'
import { PullLoop } from './pull-delivery.ts'
import { EventHandlers } from './push-delivery.ts'

/** What a listener tells the client that it belongs to. */
export interface ListenerOwner {
  /** One change is done with. */
  done(entry: AcknowledgementEntry): void
  /** There is room again in the listener's buffer. */
  roomMade(): void
  /** Something went wrong while an event was delivered. */
  failed(error: unknown): void
  /** The listener's user wants no more. Resolves when the source knows. */
  detach(listener: TableListener): Promise<void>
}

const KINDS: readonly (EventKind | 'change')[] = ['insert', 'update', 'delete', 'truncate', 'change']

/**
 * A listener at work: it buffers the changes of one table and hands them over as events, in order.
 *
 * ```
 * attaching ──live()──▶ live ──stop()──▶ stopped
 *     └──────────fail()──┴──fail()────▶ failed
 * ```
 */
export class TableListener implements Listener {
  readonly request: ListenRequest
  readonly #owner: ListenerOwner
  readonly #queue = new ChangeQueue()
  readonly #handlers: EventHandlers
  readonly #ready = Promise.withResolvers<void>()
  readonly #projections = new WeakMap<Relation, Projection>()
  #state: 'attaching' | 'live' | 'stopped' | 'failed' = 'attaching'
  #error: unknown = null
  #readyWasRead = false
  /** Whether a handler or a loop has ever been there: until then, events wait. */
  #consumed = false
  #loop: PullLoop | null = null
  /** The change of which a loop holds an event, and the events of it that follow. */
  #taken: { readonly item: QueuedChange; readonly rest: ChangeEvent[] } | null = null
  #pumping: Promise<void> | null = null
  /** The change whose event a handler has. */
  #inHand: QueuedChange | null = null
  #stopping: Promise<void> | null = null
  /** Called when a loop has taken everything and asks for more. */
  #drained: (() => void) | null = null
  /** Changes up to here were committed before the listener was live. */
  #from: Position | null = null
  /** The transaction that was being delivered when the listener became live: it belongs to the time before. */
  #skipped: Transaction | null = null

  constructor(request: ListenRequest, owner: ListenerOwner) {
    this.request = request
    this.#owner = owner
    this.#handlers = new EventHandlers(request.table)
    // Whoever does not look at `ready` learns of a failure in another way: see `fail`.
    this.#ready.promise.catch(() => undefined)
    request.signal?.addEventListener('abort', this.#onAbort, { once: true })
    // A listener that is aborted before it begins is stopped once its maker has it.
    if (request.signal?.aborted === true) queueMicrotask(this.#onAbort)
  }

  readonly #onAbort = (): void => {
    this.stop().catch((error: unknown) => this.#owner.failed(error))
  }

  get ready(): Promise<void> {
    this.#readyWasRead = true
    return this.#ready.promise
  }

  get isStopped(): boolean {
    return this.#state === 'stopped' || this.#state === 'failed'
  }

  /** How many changes were received and are not handled. */
  get unfinished(): number {
    return this.#queue.length + (this.#taken === null ? 0 : 1) + (this.#inHand === null ? 0 : 1)
  }

  get hasRoom(): boolean {
    return this.isStopped || this.#queue.bytes < this.request.bufferBytes
  }

  on(kind: EventKind | 'change', handler: EventHandler<never>): () => void {
    if (!KINDS.includes(kind))
      throw invalidOptions(`A listener has events ${KINDS.join(', ')}, not ${JSON.stringify(kind)}.`)
    if (typeof handler !== 'function') throw invalidOptions(`on('${kind}') takes a function.`)
    if (this.#loop !== null) throw invalidOptions(`This listener is read by a loop: use another listener for handlers.`)
    this.#throwIfEnded()
    const remove = this.#handlers.add(kind, handler as EventHandler<ChangeEvent>)
    this.#consumed = true
    this.wake()
    return remove
  }

  [Symbol.asyncIterator](): AsyncIterator<ChangeEvent> {
    if (this.#loop !== null)
      throw invalidOptions(`This listener is read by a loop already: a second one needs a listener of its own.`)
    if (this.#consumed) throw invalidOptions(`This listener has handlers: a loop needs a listener of its own.`)
    this.#consumed = true
    this.#loop = new PullLoop({ next: () => this.#pull(), left: () => this.stop() })
    if (this.#state === 'failed') this.#loop.fail(this.#error)
    if (this.#state === 'stopped') this.#loop.end()
    return this.#loop
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Resolves the listener's wishes against its table: what is wrong with them is said before anything is captured. */
  bind(relation: Relation): Projection {
    let bound = this.#projections.get(relation)
    if (bound === undefined) {
      bound = projection(relation, this.request)
      this.#projections.set(relation, bound)
    }
    return bound
  }

  /** The source captures for this listener everything that is after this position, and not of this transaction. */
  live(from: Position, inProgress: Transaction | null): void {
    if (this.#state !== 'attaching') return
    this.#state = 'live'
    this.#from = from
    this.#skipped = inProgress
    this.#ready.resolve()
  }

  /** Buffers a change if the listener wants it. Returns whether it did. */
  offer(change: Change, entry: AcknowledgementEntry, bytes: number): boolean {
    if (this.#state !== 'live' || !this.request.operations.has(change.kind)) return false
    if (this.#from !== null) {
      if (change.position <= this.#from || change.transaction === this.#skipped) return false
      // Positions only grow: from here on there is nothing to compare.
      this.#from = null
      this.#skipped = null
    }
    this.#queue.push({ change, entry, bytes })
    return true
  }

  /** How many changes wait to be taken. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Replaces the last so many of the changes that wait. */
  replaceLast(count: number, replacement: (change: Change) => Change): void {
    this.#queue.replaceFrom(this.#queue.length - count, replacement)
  }

  /** Delivers what is in the buffer, unless that is being done. */
  wake(): void {
    if (this.#loop !== null) this.#loop.wake()
    else if (this.#consumed && this.#pumping === null && this.#queue.length > 0) {
      const pumping = deliverInside(this, () => this.#pump()).finally(() => {
        this.#pumping = null
        // What came in between the last look into the buffer and now.
        if (this.#state === 'live') this.wake()
      })
      this.#pumping = pumping
    }
  }

  /** Resolves when everything that was received is handled; with nobody to handle it, at once. */
  async drain(): Promise<void> {
    // A handler that waits for the client's end cannot be waited for.
    if (isInsideHandlerOf(this)) return
    while (this.#state === 'live' && this.#consumed && (this.unfinished > 0 || this.#pumping !== null)) {
      if (this.#pumping !== null) await this.#pumping
      else {
        await new Promise<void>((resolve) => {
          this.#drained = resolve
        })
      }
    }
  }

  /** Ends without a failure: loops end, what waits is discarded. */
  end(): void {
    if (this.isStopped) return
    const attaching = this.#state === 'attaching'
    this.#state = 'stopped'
    if (attaching) this.#ready.reject(closed('The listener was stopped before it was live.'))
    this.#discard()
    this.#loop?.end()
  }

  /**
   * Ends with a failure. Returns whether somebody sees it: a loop throws it, or `ready`, which somebody holds,
   * rejects with it.
   */
  fail(error: unknown): boolean {
    if (this.isStopped) return false
    const attaching = this.#state === 'attaching'
    this.#state = 'failed'
    this.#error = error
    if (attaching) this.#ready.reject(error)
    this.#discard()
    this.#loop?.fail(error)
    return this.#loop !== null || (attaching && this.#readyWasRead)
  }

  /** Resolves when no handler of this listener runs; at once for the handler itself. */
  async settled(): Promise<void> {
    if (this.#pumping !== null && !isInsideHandlerOf(this)) await this.#pumping
  }

  async #stop(): Promise<void> {
    if (this.isStopped) return
    this.end()
    const detached = this.#owner.detach(this)
    await this.settled()
    await detached
  }

  #discard(): void {
    this.request.signal?.removeEventListener('abort', this.#onAbort)
    for (const item of this.#queue.clear()) this.#owner.done(item.entry)
    if (this.#taken !== null) {
      this.#owner.done(this.#taken.item.entry)
      this.#taken = null
    }
    this.#drained?.()
    this.#owner.roomMade()
  }

  async #pump(): Promise<void> {
    try {
      while (this.#state === 'live') {
        const item = this.#next()
        if (item === undefined) return
        this.#inHand = item
        for (const event of eventsOf(item.change, this.bind(item.change.relation))) {
          const handling = this.#handlers.handle(event)
          if (handling !== undefined) await handling
        }
        this.#inHand = null
        this.#owner.done(item.entry)
      }
    } catch (error) {
      this.#owner.failed(error)
    }
  }

  #pull(): ChangeEvent | null {
    for (;;) {
      const next = this.#taken?.rest.shift()
      if (next !== undefined) return next
      if (this.#taken !== null) {
        const { item } = this.#taken
        this.#taken = null
        this.#owner.done(item.entry)
      }
      const item = this.#next()
      if (item === undefined) {
        this.#drained?.()
        return null
      }
      try {
        this.#taken = { item, rest: [...eventsOf(item.change, this.bind(item.change.relation))] }
      } catch (error) {
        this.#owner.failed(error)
        throw error
      }
    }
  }

  #next(): QueuedChange | undefined {
    const item = this.#queue.shift()
    // Reading goes on when half of the buffer is free: one change at a time would wake the source for each.
    if (this.#queue.bytes * 2 <= this.request.bufferBytes) this.#owner.roomMade()
    return item
  }

  #throwIfEnded(): void {
    if (this.#state === 'failed') throw this.#error
    if (this.#state === 'stopped') throw closed('The listener was stopped.')
  }
}

function closed(message: string): RowtapError {
  return new RowtapError('ERR_CLOSED', { message })
}
