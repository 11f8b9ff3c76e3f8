import type { Capabilities } from '../capabilities/capabilities.ts'
import type { EventHandler, Listener, StopOptions, StopReport } from '../client.ts'
import type { Change, Transaction } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { DeliveredEvent, EventKind, Row, ListenerMode } from '../event.ts'
import { invalidOptions } from '../options/check-option-names.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { ListenerCounters } from '../metrics/listener-counters.ts'
import { DEFAULT_CLOSE_TIMEOUT_MS } from '../options/close-timeout-ms.ts'
import type { RowtapError } from '../rowtap-error.ts'
import type { SnapshotListener } from '../snapshot/snapshot-run-parts.ts'
import type { SnapshotRun } from '../snapshot/snapshot-run.ts'
import type { AcknowledgementEntry } from './acknowledgement-tracker.ts'
import { EventHandlers } from './event-handlers.ts'
import { checkEventKind } from './event-kinds.ts'
import type { End, HandlerCall } from './handler-call.ts'
import type { DeliveryEnd } from './listener-changes.ts'
import { closed, stopped, stoppedEarly } from './listener-closed.ts'
import type { DeliveryHost } from './listener-delivery.ts'
import { ListenerDelivery } from './listener-delivery.ts'
import { ListenerEnd } from './listener-end.ts'
import type { ListenerOwner } from './listener-owner.ts'
import { ListenerSignals } from './listener-signals.ts'
import { LiveSince } from './live-since.ts'
import type { QueuedChange } from './queued-change.ts'
import { stopRequest } from './stop-request.ts'

/** What a listener's end is told to. */
export interface TableListenerOwner extends ListenerOwner {
  /** The listener's user wants no further changes. Resolves when the source knows. */
  detach(listener: TableListener): Promise<void>
  /** The listener has ended, after it was detached: nothing more is handed over. */
  ended?(): Promise<void>
  /** The listener has failed, by itself or with its client. */
  hasFailed?(): void
}

const READY = Promise.resolve()

/**
 * A listener at work: it buffers the changes of one table that it wants, and hands them over as events, in order. What
 * it needs for that is made with the first change, so that ten thousand listeners that wait are small.
 *
 * ```
 * attaching ──live()──▶ live ──stop()──▶ stopping ──▶ stopped
 *     ├────────end()──────┴──────end()──────┴──────────▶ stopped
 *     └────────fail()─────┴──────fail()─────┴──────────▶ failed
 * ```
 */
export class TableListener
  implements Listener<Row, Capabilities, 'auto', ListenerMode>, DeliveryHost, SnapshotListener, End
{
  readonly request: ListenRequest
  readonly counters: ListenerCounters = new ListenerCounters()
  readonly handlers: EventHandlers = new EventHandlers()
  readonly owner: TableListenerOwner
  #delivery: ListenerDelivery | null = null
  /** How its table is read; `null` without `snapshot`, and before it is attached. */
  #snapshot: SnapshotRun | null = null
  /** What changes have to pass as long as rows are read, and changes may come that the reading has seen. */
  #passage: SnapshotRun | null = null
  /** Whether somebody has asked for the end of its snapshot. */
  #isSnapshotAwaited = false
  /** There while somebody waits for a snapshot that has not begun. */
  #snapshotDone: PromiseWithResolvers<void> | null = null
  /** There while somebody waits for the listener to be live. */
  #ready: PromiseWithResolvers<void> | null = null
  #state: 'attaching' | 'live' | 'stopping' | 'stopped' | 'failed' = 'attaching'
  #wasLive = false
  #isDiscarded = false
  #error: unknown = null
  /** Whether a handler or a loop has ever been there: until then, events wait. */
  #consumed = false
  #end: ListenerEnd | null = null
  /** Removes the handler from the caller's signal, where there is one. */
  #ended: AbortController | null = null
  /** There until a change has come that is the listener's. */
  #since: LiveSince | null = null
  /** Its signals, where it has no rows. */
  #signals: ListenerSignals | null = null

  constructor(request: ListenRequest, owner: TableListenerOwner) {
    this.request = request
    this.owner = owner
    if (request.signal !== null) this.#stopOn(request.signal)
  }

  get ready(): Promise<void> {
    if (this.#wasLive) return READY
    if (this.#ready === null) {
      this.#ready = Promise.withResolvers<void>()
      // Whoever does not look at `ready` learns of a failure in another way: see `fail`.
      this.#ready.promise.catch(() => undefined)
      if (this.isStopped) this.#ready.reject(this.#error)
    }
    return this.#ready.promise
  }

  get snapshotDone(): Promise<void> {
    if (!this.request.snapshot) return READY
    this.#isSnapshotAwaited = true
    if (this.#snapshot !== null) return this.#snapshot.done
    if (this.#snapshotDone === null) {
      this.#snapshotDone = Promise.withResolvers<void>()
      this.#snapshotDone.promise.catch(() => undefined)
      if (this.isStopped) this.#snapshotDone.reject(this.#error)
    }
    return this.#snapshotDone.promise
  }

  /** How its table is read; `null` without `snapshot`, and before it is attached. */
  get snapshot(): SnapshotRun | null {
    return this.#snapshot
  }

  /** Itself, as its user has it. */
  get listener(): Listener {
    // Whether it has events of a snapshot is for who made it to know.
    return this as unknown as Listener
  }

  /** Whether it was live, and its user has not said that nothing of it is wanted any more. */
  get mayComeBack(): boolean {
    return this.#wasLive && !this.#isDiscarded
  }

  /** Whether it takes no further changes. */
  get isStopped(): boolean {
    return this.#state !== 'attaching' && this.#state !== 'live'
  }

  /** How many changes were received and are not handled. */
  get unfinished(): number {
    return (this.#delivery?.unfinished ?? 0) + (this.#snapshot?.heldCount ?? 0)
  }

  /** The same, those included that will not be. */
  get unhandled(): number {
    return this.#delivery?.unhandled ?? 0
  }

  /** How many bytes those hold, as received. */
  get bufferBytes(): number {
    return this.deliveredBytes + (this.#snapshot?.heldBytes ?? 0)
  }

  get deliveredBytes(): number {
    return this.#delivery?.bufferBytes ?? 0
  }

  get hasRoom(): boolean {
    if (this.isStopped) return true
    if (this.#snapshot !== null && this.#snapshot.heldBytes >= this.request.bufferBytes) return false
    return this.#delivery === null || this.#delivery.hasRoom
  }

  on(kind: EventKind | 'change', handler: EventHandler<never>): () => void {
    checkEventKind(kind, this.request.rows)
    if (typeof handler !== 'function') throw invalidOptions(`on('${kind}') takes a function.`)
    if (this.#isRead) throw invalidOptions(`This listener is read by a loop: use another listener for handlers.`)
    this.#throwIfEnded()
    const remove = this.handlers.add(kind, handler as EventHandler<DeliveredEvent>)
    this.#consumed = true
    this.wake()
    return remove
  }

  [Symbol.asyncIterator](): AsyncIterator<DeliveredEvent> {
    if (this.#isRead) {
      if (this.#isOver)
        throw closed(`This listener has ended, and its loop with it: another loop needs another listener.`)
      throw invalidOptions(`This listener is read by a loop already: a second one needs a listener of its own.`)
    }
    if (this.#consumed) throw invalidOptions(`This listener has handlers: a loop needs a listener of its own.`)
    if (this.request.concurrency > 1) throw invalidOptions(`A loop takes one event at a time: leave 'concurrency' out.`)
    this.#consumed = true
    const loop = this.#deliver().read()
    if (this.#state === 'failed') loop.fail(this.#error)
    if (this.#state === 'stopped') loop.end()
    return loop
  }

  stop(options: StopOptions = {}): Promise<StopReport> {
    const { timeoutMs, discard } = stopRequest(options)
    if (discard) this.#discard()
    else if (this.#state === 'live' && this.#consumed && this.unfinished > 0) this.#finish()
    else if (this.#state !== 'stopping') this.end('left')
    return this.#ending().stopped(timeoutMs)
  }

  /** Ends without handing over what waits: that, and what a loop has, is left. */
  async leave(): Promise<void> {
    this.end('left')
    await this.#ending().stopped(DEFAULT_CLOSE_TIMEOUT_MS)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  /** The source captures for this listener everything that is after this position, and not of this transaction. */
  live(from: Position, inProgress: Transaction | null): void {
    if (this.#state !== 'attaching') return
    this.#state = 'live'
    this.#wasLive = true
    this.#since = new LiveSince(from, inProgress)
    this.#ready?.resolve()
    this.#ready = null
  }

  /** Buffers a change that the listener wants. Returns false where it is not live, or was not yet. */
  offer(item: QueuedChange): boolean {
    if (!this.#isLiveFor(item.routed.change)) return false
    if (this.#passage !== null) {
      if (!this.#passage.isPast(item.routed.change.position)) return this.#passage.offer(item)
      this.#passage = null
    }
    this.take(item)
    return true
  }

  /** Makes a signal of a change. Returns false where one that was made before stands for it, or the listener is not live. */
  signal(change: Change, entry: AcknowledgementEntry): boolean {
    if (!this.#isLiveFor(change)) return false
    const item = (this.#signals ??= new ListenerSignals()).add(change, entry)
    if (item === null) this.counters.countWanted()
    else this.take(item)
    return item !== null
  }

  #isLiveFor(change: Change): boolean {
    if (this.#state !== 'live') return false
    if (this.#since !== null) {
      if (!this.#since.isBefore(change)) return false
      this.#since = null
    }
    return true
  }

  /** Changes pass this run from now on, and its rows come first. */
  beginWith(run: SnapshotRun): void {
    this.#passage = run
    if (this.#snapshot === run) return
    this.#snapshot = run
    const waiting = this.#snapshotDone
    if (waiting !== null) run.done.then(waiting.resolve, waiting.reject)
  }

  /** Buffers a change or a row, whatever it is. */
  take(item: QueuedChange): void {
    if (this.#isOver) {
      this.owner.done(item.routed.entry)
      return
    }
    if (item.transition !== 'snapshot') this.counters.countWanted()
    this.#deliver().add(item)
  }

  /** Delivers what is in the buffer, unless that is being done. */
  wake(): void {
    if (this.#delivery === null || !this.#consumed || this.#isOver) return
    this.#delivery.wake()
  }

  calls(): Iterable<HandlerCall> {
    return this.#delivery?.calls ?? []
  }

  /**
   * Resolves when everything that was received is handled, or the listener has ended, and no handler runs; with nobody to
   * handle it, at once. Handlers that go on only after an end, where it is given, are not waited for.
   */
  async drain(end: End | null): Promise<void> {
    if (!this.#consumed) return
    // A client that closes waits for no reading.
    if (end === null) await this.#snapshot?.settled()
    await this.#delivery?.drain(end)
  }

  /** Resolves when handlers run that all go on only after this call does. */
  waitsFor(call: HandlerCall): Promise<void> {
    return this.#delivery?.waitsFor(call) ?? new Promise(() => undefined)
  }

  /** Ends without a failure: loops end, nothing further is handed over. What was left before can be discarded yet. */
  end(how: DeliveryEnd): void {
    if (this.#isOver) {
      if (how === 'discarded') this.#delivery?.letGo()
      return
    }
    const attaching = this.#state === 'attaching'
    this.#state = 'stopped'
    this.#ended?.abort()
    this.#error = attaching ? stoppedEarly(this.request.signal) : stopped()
    if (attaching) this.#ready?.reject(this.#error)
    this.#endSnapshot()
    this.#delivery?.end(how, null)
  }

  /** Nobody waits for its handlers any longer: the client is at its end. */
  giveUp(): void {
    this.#end?.giveUp()
  }

  /**
   * Ends with a failure. Returns whether somebody sees it: a loop throws it, or `ready` or `snapshotDone`, which somebody
   * holds, rejects with it.
   *
   * @param how what becomes of what it has received. Default: what becomes of it with its client.
   */
  fail(error: unknown, how: DeliveryEnd = 'closed'): boolean {
    if (this.#isOver) return false
    const isHeld = this.#state === 'attaching' && this.#ready !== null
    const isAwaited = this.#isSnapshotAwaited && this.#snapshot?.isDone !== true
    this.#state = 'failed'
    this.#error = error
    this.#ended?.abort()
    if (isHeld) this.#ready?.reject(error)
    this.#endSnapshot()
    this.#delivery?.end(how, { error })
    this.owner.hasFailed?.()
    return this.#isRead || isHeld || isAwaited
  }

  passedOver(event: DeliveredEvent, error: RowtapError, how: 'skip' | 'dead letter'): void {
    this.owner.passedOver(this, event, error, how)
  }

  #endSnapshot(): void {
    if (this.#snapshot === null) this.#snapshotDone?.reject(this.#error)
    // What becomes of them is what becomes of everything that waits.
    for (const item of this.#snapshot?.end(this.#error) ?? []) {
      this.counters.countWanted()
      this.#deliver().add(item)
    }
  }

  get #isOver(): boolean {
    return this.#state === 'stopped' || this.#state === 'failed'
  }

  get #isRead(): boolean {
    return this.#delivery !== null && this.#delivery.isRead
  }

  #deliver(): ListenerDelivery {
    this.#delivery ??= new ListenerDelivery(this)
    return this.#delivery
  }

  #stopOn(signal: AbortSignal): void {
    this.#ended = new AbortController()
    const onAbort = (): void => {
      this.leave().catch((error: unknown) => this.owner.failed(error))
    }
    signal.addEventListener('abort', onAbort, { once: true, signal: this.#ended.signal })
    // A listener that is aborted before it begins is stopped once its maker has it.
    if (signal.aborted) queueMicrotask(onAbort)
  }

  /** Takes no further changes, and goes on handing over what it has. */
  #finish(): void {
    this.#state = 'stopping'
    this.#error = stopped()
    this.#snapshot?.stop()
  }

  /** Ends, and has the source told that nothing is wanted any more, also where it has ended before. */
  #discard(): void {
    this.#isDiscarded = true
    this.end('discarded')
    this.#end?.detachAgain()
  }

  #ending(): ListenerEnd {
    this.#end ??= new ListenerEnd(this)
    return this.#end
  }

  #throwIfEnded(): void {
    if (this.isStopped) throw this.#error
  }
}
