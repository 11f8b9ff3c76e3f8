import type { TableName } from '../contract/table-name.ts'
import { eventsOf } from '../dispatch/events-of.ts'
import { keyTextOf } from '../dispatch/key-text.ts'
import type { ChangeEvent } from '../event.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import type { RowtapError } from '../rowtap-error.ts'
import type { QueuedChange } from './queued-change.ts'
import type { EventReceiver, FailurePolicy } from './deliver-event.ts'
import { deliverEvent } from './deliver-event.ts'
import type { CallFailure } from './event-call.ts'
import type { EventHandlers } from './event-handlers.ts'
import { isInsideHandlerOf } from './inside-handler.ts'
import { ListenerBuffer } from './listener-buffer.ts'
import type { RecordedListener } from './delivery-record.ts'
import { recordDelivered, recordFailure, recordRetry } from './delivery-record.ts'
import type { ListenerOwner } from './listener-owner.ts'
import { PullLoop } from './pull-delivery.ts'
import type { PushSource } from './push-delivery.ts'
import { PushDelivery } from './push-delivery.ts'
import type { CheckedRetryPolicy } from './retry-policy.ts'
import type { TakenChange } from './taken-change.ts'

/** What a delivery needs of the listener that it is for. */
export interface DeliveryHost extends RecordedListener {
  readonly request: ListenRequest
  readonly owner: ListenerOwner
  readonly handlers: EventHandlers
  /** An event was given up after its handler failed for good, as the listener asked for. */
  passedOver(event: ChangeEvent, error: RowtapError, how: 'skip' | 'dead letter'): void
  /** A loop was left. */
  stop(): Promise<void>
}

/** The changes that a listener has received, on their way to its handlers or its loop. Made with the first of them. */
export class ListenerDelivery implements PushSource, EventReceiver {
  readonly #host: DeliveryHost
  readonly #buffer: ListenerBuffer
  #push: PushDelivery | null = null
  #loop: PullLoop | null = null
  /** Made when a handler waits for its retry. */
  #abort: AbortController | null = null
  /** Whether an event is done when its handlers are. Known here, because it is asked for each event. */
  readonly #isAutomatic: boolean
  #ended = false
  #unordered = 0
  /** Called when a change is done, for whoever waits for the last. */
  #onDone: (() => void) | null = null

  constructor(host: DeliveryHost) {
    this.#host = host
    this.#isAutomatic = host.request.ack === 'auto'
    this.#buffer = new ListenerBuffer(host.request.bufferBytes, host.owner)
    // What nobody acknowledges is never done.
    if (!this.#isAutomatic) this.#buffer.hold()
  }

  /** How many changes were received and are not handled. */
  get unfinished(): number {
    return this.#buffer.unfinished
  }

  /** How many bytes those hold, as received. */
  get bufferBytes(): number {
    return this.#buffer.bytes
  }

  get hasRoom(): boolean {
    return this.#buffer.hasRoom
  }

  get isRead(): boolean {
    return this.#loop !== null
  }

  add(item: QueuedChange): void {
    this.#buffer.add(item)
  }

  /** Makes the loop that reads from now on. */
  read(): PullLoop {
    this.#buffer.hold()
    this.#loop = new PullLoop({
      take: () => this.take(),
      begun: (event) => this.begun(event),
      delivered: (event, taken, milliseconds) => this.delivered(event, taken, milliseconds),
      left: () => this.#host.stop(),
    })
    return this.#loop
  }

  /** Delivers what is in the buffer, unless that is being done. */
  wake(): void {
    if (this.#loop !== null) {
      this.#loop.wake()
      return
    }
    if (this.#push === null) {
      if (this.#buffer.waiting === 0 || this.#ended) return
      this.#push = new PushDelivery(this, this.#host.request.concurrency)
    }
    this.#push.wake()
  }

  /** Resolves when everything that was received is handled, or the delivery has ended; for a handler, at once. */
  async drain(): Promise<void> {
    // A handler that waits for the client's end cannot be waited for.
    if (this.#push !== null && isInsideHandlerOf(this.#push)) return
    while (!this.#ended && this.#buffer.unfinished > 0) {
      await new Promise<void>((resolve) => {
        this.#onDone = resolve
      })
    }
  }

  /** Discards what waits. Loops end, with the error where there is one. */
  end(failure: { readonly error: unknown } | null): void {
    this.#ended = true
    this.#abort?.abort()
    this.#push?.end()
    this.#buffer.discardWaiting()
    // An event with a handler is done when the handler is; one that a loop holds, or that nobody will acknowledge, is now.
    this.#buffer.discardTaken()
    this.#onDone?.()
    if (failure === null) this.#loop?.end()
    else this.#loop?.fail(failure.error)
  }

  /** Resolves when no handler runs; at once for the handler itself. */
  async settled(): Promise<void> {
    await this.#push?.settled()
  }

  take(): TakenChange | null {
    const item = this.#ended ? undefined : this.#buffer.take()
    if (item === undefined) return null
    try {
      const events = eventsOf(item.routed, item.projection, item.transition)
      const acknowledged = this.#isAutomatic ? null : new Set<ChangeEvent>()
      const taken: TakenChange = { item, events, pending: events.length, acknowledged }
      if (!this.#isAutomatic) for (const event of events) this.#addAck(event, taken)
      return taken
    } catch (error) {
      this.#host.owner.failed(error)
      return null
    }
  }

  done(taken: TakenChange): void {
    taken.pending -= 1
    if (taken.pending !== 0) return
    this.#buffer.done(taken.item)
    this.#onDone?.()
  }

  deliver(event: ChangeEvent, taken: TakenChange): boolean | Promise<boolean> {
    return deliverEvent(event, taken, this)
  }

  orderOf(event: ChangeEvent, { item }: TakenChange): string | null {
    const tuple = event.kind === 'delete' ? item.routed.before : item.routed.after
    // A truncate concerns every row.
    if (tuple === null) return null
    return this.#host.request.orderBy === 'none'
      ? String(++this.#unordered)
      : keyTextOf(tuple, item.projection, item.routed.change.relation)
  }

  get table(): TableName {
    return this.#host.request.table
  }

  get handlers(): EventHandlers {
    return this.#host.handlers
  }

  get retry(): CheckedRetryPolicy {
    return this.#host.request.retry
  }

  get onFailure(): FailurePolicy {
    return this.#host.request.onFailure
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#ended) this.#abort.abort()
    }
    return this.#abort.signal
  }

  random(): number {
    return Math.random()
  }

  onRetry(event: ChangeEvent, { error, attempts }: CallFailure, delayMs: number): void {
    recordRetry(this.#host, event, error, attempts, delayMs)
  }

  begun(event: ChangeEvent): void {
    this.#host.owner.times?.begun(event)
  }

  delivered(event: ChangeEvent, taken: TakenChange, milliseconds: number): void {
    recordDelivered(this.#host, event, milliseconds)
    if (this.#isAutomatic) this.done(taken)
  }

  passedOver(event: ChangeEvent, taken: TakenChange, error: RowtapError, how: 'skip' | 'dead letter'): void {
    recordFailure(this.#host, event, error, how)
    this.#host.passedOver(event, error, how)
    this.#doneWith(event, taken)
  }

  abandoned(event: ChangeEvent, taken: TakenChange): void {
    this.#doneWith(event, taken)
  }

  failed(event: ChangeEvent, error: RowtapError): void {
    recordFailure(this.#host, event, error, 'stop')
    this.#host.owner.failed(error)
  }

  #addAck(event: ChangeEvent, taken: TakenChange): void {
    // Not enumerable: an event is plain data to whoever copies, compares or prints it.
    Object.defineProperty(event, 'ack', { value: () => this.#doneWith(event, taken) })
  }

  /** One event is done with, unless somebody has acknowledged it before. */
  #doneWith(event: ChangeEvent, taken: TakenChange): void {
    if (taken.acknowledged?.has(event)) return
    taken.acknowledged?.add(event)
    this.done(taken)
  }
}
