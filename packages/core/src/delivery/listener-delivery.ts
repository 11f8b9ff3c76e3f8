import type { TableName } from '../contract/table-name.ts'
import { keyTextOf } from '../dispatch/key-text.ts'
import type { DeliveredEvent } from '../event.ts'
import type { DeliveryTiming } from '../metrics/delivery-times.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import type { RowtapError } from '../rowtap-error.ts'
import type { EventReceiver, FailurePolicy } from './conclude-failure.ts'
import type { RecordedListener } from './delivery-record.ts'
import { recordDelivered, recordFailure, recordRetry } from './delivery-record.ts'
import type { CallFailure } from './event-call.ts'
import type { EventHandlers } from './event-handlers.ts'
import type { End, HandlerCall } from './handler-call.ts'
import { goesOnAfter } from './handler-call.ts'
import type { DeliveryEnd } from './listener-changes.ts'
import { ListenerChanges } from './listener-changes.ts'
import type { ListenerOwner } from './listener-owner.ts'
import { PullLoop } from './pull-delivery.ts'
import type { PushSource } from './push-delivery.ts'
import { PushDelivery } from './push-delivery.ts'
import type { QueuedChange } from './queued-change.ts'
import type { CheckedRetryPolicy } from './retry-policy.ts'
import type { TakenChange } from './taken-change.ts'

/** What a delivery needs of the listener that it is for. */
export interface DeliveryHost extends RecordedListener {
  readonly request: ListenRequest
  readonly owner: ListenerOwner
  readonly handlers: EventHandlers
  /** An event was given up after its handler failed for good, as the listener asked for. */
  passedOver(event: DeliveredEvent, error: RowtapError, how: 'skip' | 'dead letter'): void
  /** A loop was left. */
  leave(): Promise<void>
}

const NO_CALLS: readonly never[] = []

/** The changes that a listener has received, on their way to its handlers or its loop. Made with the first of them. */
export class ListenerDelivery implements PushSource, EventReceiver {
  readonly #host: DeliveryHost
  readonly #changes: ListenerChanges
  #push: PushDelivery | null = null
  #loop: PullLoop | null = null
  /** Made when a handler waits for its retry. */
  #abort: AbortController | null = null
  #unordered = 0

  constructor(host: DeliveryHost) {
    this.#host = host
    this.#changes = new ListenerChanges(host)
  }

  /** How many changes were received and are not handled. */
  get unfinished(): number {
    return this.#changes.unfinished
  }

  /** The same, those included that will not be. */
  get unhandled(): number {
    return this.#changes.unhandled
  }

  /** How many bytes those hold that may be handled yet, as received. */
  get bufferBytes(): number {
    return this.#changes.bytes
  }

  get hasRoom(): boolean {
    return this.#changes.hasRoom
  }

  get isRead(): boolean {
    return this.#loop !== null
  }

  /** The calls of handlers that have not returned yet. */
  get calls(): Iterable<HandlerCall> {
    return this.#push?.calls ?? NO_CALLS
  }

  add(item: QueuedChange): void {
    this.#changes.add(item)
  }

  /** Makes the loop that reads from now on. */
  read(): PullLoop {
    this.#changes.hold()
    this.#loop = new PullLoop({
      take: () => this.take(),
      delivered: (event, taken, startedAt) => this.delivered(event, taken, startedAt),
      left: () => this.#host.leave(),
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
      if (this.#changes.waiting === 0 || this.#changes.isEnded) return
      this.#push = new PushDelivery(this, this.#host.request.concurrency)
    }
    this.#push.wake()
  }

  /**
   * Resolves when everything that was received is handled, or the delivery has ended, and no handler runs. Handlers that
   * go on only after an end, where it is given, are not waited for, nor for what they keep from being handled.
   */
  async drain(end: End | null): Promise<void> {
    await this.#changes.until(() => this.#isDrained || (end !== null && this.#onlyGoesOnAfter(end)))
  }

  /** Resolves when handlers run that all go on only after this call does. */
  async waitsFor(call: HandlerCall): Promise<void> {
    await this.#changes.until(() => this.#onlyGoesOnAfter(call))
  }

  /** Nothing further is handed over. Loops end, with the error where there is one. */
  end(how: DeliveryEnd, failure: { readonly error: unknown } | null): void {
    this.#changes.end(how)
    this.#abort?.abort()
    this.#push?.end()
    // An event with a handler is done when the handler is; one that a loop holds, or that nobody will acknowledge, is not.
    this.#changes.giveUp()
    // A loop that was not left may be done with its event yet: it says so by asking for the next.
    if (!this.#changes.isKept) this.#loop?.forget()
    if (failure === null) this.#loop?.end()
    else this.#loop?.fail(failure.error)
    this.#changes.changed()
  }

  /** What was left counts as done. */
  letGo(): void {
    if (this.#changes.letGo()) this.#loop?.forget()
  }

  take(): TakenChange | null {
    return this.#changes.take()
  }

  givenUp(taken: TakenChange): void {
    this.#changes.givenUp(taken)
  }

  callsChanged(): void {
    this.#changes.changed()
  }

  orderOf(event: DeliveredEvent, { item }: TakenChange): string | null {
    // One that waited for those of its operation here could not stand for more any longer.
    if (event.kind === 'signal') return String(++this.#unordered)
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
      if (this.#changes.isEnded) this.#abort.abort()
    }
    return this.#abort.signal
  }

  random(): number {
    return Math.random()
  }

  onRetry(event: DeliveredEvent, { error, attempts }: CallFailure, delayMs: number): void {
    recordRetry(this.#host, event, error, attempts, delayMs)
  }

  delivered(event: DeliveredEvent, taken: TakenChange, startedAt: number): void {
    recordDelivered(this.#host, event, startedAt, performance.now())
    if (this.#changes.isAutomatic) this.#changes.done(taken)
  }

  passedOver(
    event: DeliveredEvent,
    taken: TakenChange,
    error: RowtapError,
    how: 'skip' | 'dead letter',
    timing: DeliveryTiming,
  ): void {
    recordFailure(this.#host, event, error, how, timing)
    this.#host.passedOver(event, error, how)
    this.#changes.doneWith(event, taken)
  }

  abandoned(taken: TakenChange): void {
    this.#changes.givenUp(taken)
  }

  failed(event: DeliveredEvent, error: RowtapError, timing: DeliveryTiming): void {
    recordFailure(this.#host, event, error, 'stop', timing)
    this.#host.owner.failed(error)
  }

  get #isDrained(): boolean {
    if (this.#push !== null && this.#push.running > 0) return false
    return this.#changes.isEnded || this.#changes.unfinished === 0
  }

  #onlyGoesOnAfter(goal: End | HandlerCall): boolean {
    if (this.#push === null || this.#push.running === 0) return false
    for (const call of this.#push.calls) if (!goesOnAfter(call, goal)) return false
    return true
  }
}
