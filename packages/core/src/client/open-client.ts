import type { Capabilities } from '../capabilities/capabilities.ts'
import type {
  Client,
  ClientHandlers,
  ClientSignals,
  CloseOptions,
  CloseReport,
  Listener,
  MessageHandler,
} from '../client.ts'
import type { Change, Driver, DriverNotice, DriverSession } from '../contract/driver.ts'
import type { LogicalMessage } from '../contract/logical-message.ts'
import type { Position } from '../contract/position.ts'
import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import type { TableListenerOwner } from '../delivery/table-listener.ts'
import { TableListener } from '../delivery/table-listener.ts'
import type { End, HandlerCall } from '../delivery/handler-call.ts'
import { currentCall, waitForUnlessDone } from '../delivery/inside-handler.ts'
import type { OwnedListener } from '../delivery/listener-owner.ts'
import type { AckMode, DeliveredEvent, ListenerMode, Row } from '../event.ts'
import type { AnyListenOptions, ListenOptions, ManualListenOptions, SnapshotListenOptions } from '../listen-options.ts'
import { CHANNELS } from '../metrics/channels.ts'
import { clientMetricsOf } from '../metrics/client-metrics-of.ts'
import type { ClientMetrics } from '../metrics/client-metrics.ts'
import { DeliveryTimes } from '../metrics/delivery-times.ts'
import type { ConnectRequest } from '../options/connect-request.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { closeTimeoutMs, DEFAULT_CLOSE_TIMEOUT_MS } from '../options/close-timeout-ms.ts'
import { listenRequest, listenRequests } from '../options/listen-request.ts'
import type { Plan } from '../plan/plan.ts'
import type { RowtapError } from '../rowtap-error.ts'
import type { ManualSignalListenOptions, SignalListenOptions } from '../signal-listen-options.ts'
import type { SignalListener } from '../signal-listener.ts'
import { asRowtapError, clientClosed, throwIfAborted } from './client-errors.ts'
import type { ListenersHost } from './client-listeners.ts'
import { ClientListeners } from './client-listeners.ts'
import { Messages } from './messages.ts'
import { Signals, throwUncaught } from './signals.ts'
import { within } from './within.ts'

/**
 * A client at work: its listeners, its signals, how it ends, and what is told of it.
 *
 * ```
 * open ──close()──▶ closing ──▶ closed
 *   └───a failure──▶ failed
 * ```
 */
export class OpenClient<C extends Capabilities> implements Client<C>, TableListenerOwner, ListenersHost, End {
  readonly capabilities: C
  readonly times: DeliveryTimes = new DeliveryTimes()
  readonly driverName: string
  readonly session: DriverSession
  readonly isDurable: boolean
  readonly #signals: Signals
  readonly #messages: Messages
  /** Tells the driver to give up whatever it waits for. */
  readonly #abandon: AbortController
  readonly #listeners: ClientListeners
  #state: 'open' | 'closing' | 'closed' | 'failed' = 'open'
  #closing: Promise<CloseReport> | null = null
  /** How many changes were not handled when the client failed. */
  #unfinished: number | null = null
  /** The failure of a client that was closing, and that nobody has heard of: who closes it is told. */
  #untold: RowtapError | null = null

  /** Connects the driver. What goes wrong is a RowtapError. */
  static async open<C extends Capabilities>(driver: Driver<C>, request: ConnectRequest): Promise<OpenClient<C>> {
    const signals = new Signals()
    const messages = new Messages(request.messages)
    const { message, ...on } = request.on
    signals.addAll(on)
    messages.addGiven(message)
    const abandon = new AbortController()
    const { signal } = request
    throwIfAborted(signal)
    const onAbort = (): void => abandon.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    let client: OpenClient<C> | null = null
    try {
      const session = await driver.open({
        subscription: request.subscription,
        signal: abandon.signal,
        planOnly: false,
        messages: request.messages !== null,
        notify: (notice) => {
          signals.notify(notice)
          if (client !== null) client.#listeners.told(notice)
        },
      })
      client = new OpenClient(driver, session, {
        signals,
        messages,
        abandon,
        isDurable: request.subscription !== null,
        resumeTimeoutMs: request.subscription?.resumeTimeoutMs ?? 0,
      })
      if (signal !== null) client.#closeOn(signal)
      return client
    } catch (error) {
      throwIfAborted(signal, error)
      throw asRowtapError(driver.name, error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  private constructor(
    driver: Driver<C>,
    session: DriverSession,
    {
      signals,
      messages,
      abandon,
      isDurable,
      resumeTimeoutMs,
    }: {
      readonly signals: Signals
      readonly messages: Messages
      readonly abandon: AbortController
      readonly isDurable: boolean
      readonly resumeTimeoutMs: number
    },
  ) {
    this.capabilities = driver.capabilities
    this.driverName = driver.name
    this.session = session
    this.isDurable = isDurable
    this.#signals = signals
    this.#messages = messages
    this.#abandon = abandon
    this.#listeners = new ClientListeners(this, driver.capabilities, resumeTimeoutMs)
    // What a subscription goes on with has to wait for its listeners.
    if (this.#messages.isHandled || (session.resumed ?? []).length === 0) this.#listeners.read()
  }

  /** Itself, as its listeners' messages name it. */
  get client(): Client {
    // Whoever hears of a client does not know its driver: what the driver's type allows is for who made it.
    return this as unknown as Client
  }

  get acknowledged(): Position | null {
    return this.#listeners.reader.acknowledged
  }

  listen(options: ManualSignalListenOptions<C>): SignalListener<C, 'manual'>
  listen(options: SignalListenOptions<C>): SignalListener<C>
  listen<R extends object = Row, T extends object = R>(
    options: ManualListenOptions<C, NoInfer<R>, NoInfer<T>> & SnapshotListenOptions<C, NoInfer<R>, NoInfer<T>>,
  ): Listener<R, C, 'manual', 'initial'>
  listen<R extends object = Row, T extends object = R>(
    options: SnapshotListenOptions<C, NoInfer<R>, NoInfer<T>>,
  ): Listener<R, C, 'auto', 'initial'>
  listen<R extends object = Row, T extends object = R>(
    options: ManualListenOptions<C, NoInfer<R>, NoInfer<T>>,
  ): Listener<R, C, 'manual'>
  listen<R extends object = Row, T extends object = R>(
    options: ListenOptions<C, NoInfer<R>, NoInfer<T>>,
  ): Listener<R, C>
  listen<R extends object, T extends object>(
    options: ListenOptions<C, NoInfer<R>, NoInfer<T>> | SignalListenOptions<C>,
  ): Listener<R, C, AckMode, ListenerMode> | SignalListener<C, AckMode> {
    if (this.#state !== 'open') throw clientClosed()
    const listener = this.attach(
      listenRequest(this.capabilities, options),
      (request) => new TableListener(request, this),
    )
    return typedListener<R, C, AckMode, ListenerMode>(listener)
  }

  /** Attaches a listener for a request that was checked before. */
  attach(request: ListenRequest, create: (request: ListenRequest) => TableListener): TableListener {
    const listener = create(request)
    if (this.#state !== 'open') {
      listener.fail(clientClosed())
      return listener
    }
    this.#listeners.add(listener)
    return listener
  }

  async plan(listeners: readonly AnyListenOptions<C>[] = []): Promise<Plan> {
    if (this.#state !== 'open') throw clientClosed()
    try {
      return await this.#listeners.plan(listenRequests(this.capabilities, listeners))
    } catch (error) {
      throw this.#state === 'open' ? asRowtapError(this.driverName, error) : clientClosed()
    }
  }

  metrics(): ClientMetrics {
    return clientMetricsOf({
      changes: this.#listeners.reader.changes,
      acknowledged: this.acknowledged,
      source: this.session.health?.() ?? null,
      times: this.times,
      tables: this.#listeners.reader.counters,
      listeners: this.#listeners.attached,
      ending: this.#listeners.ending,
    })
  }

  on<K extends keyof ClientHandlers>(signal: K, handler: ClientHandlers[K]): () => void
  on<K extends keyof ClientSignals>(
    signal: K | 'message',
    handler: MessageHandler | ((notice: ClientSignals[K]) => void),
  ): () => void {
    // The signature above says which handler goes with which signal.
    if (signal !== 'message') return this.#signals.on(signal, handler as (notice: ClientSignals[K]) => void)
    const off = this.#messages.on(handler as MessageHandler)
    // A program may be there for messages alone.
    if (this.#state === 'open') this.#listeners.read()
    return off
  }

  close(options: CloseOptions = {}): Promise<CloseReport> {
    const timeoutMs = closeTimeoutMs(options)
    const call = currentCall()
    if (call !== null) waitForUnlessDone(call, this)
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  *calls(): Generator<HandlerCall> {
    for (const listener of this.#listeners.every) yield* listener.calls()
    yield* this.#messages.calls
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  notify(notice: DriverNotice): void {
    this.#signals.notify(notice)
  }

  readonly done = (entry: AcknowledgementEntry): void => {
    this.#listeners.reader.done(entry)
  }

  readonly roomMade = (): void => {
    this.#listeners.roomMade()
  }

  handle(message: LogicalMessage): Promise<void> | null {
    return this.#messages.handle(message)
  }

  prepare(changes: readonly Change[]): Promise<void> | null {
    return this.#listeners.prepare(changes)
  }

  detach(listener: TableListener): Promise<void> {
    return this.#listeners.detach(listener)
  }

  received(changes: number, bytes: number): void {
    const channel = CHANNELS['rowtap:receive']
    if (channel.hasSubscribers) channel.publish({ client: this.client, changes, bytes })
  }

  acknowledge(position: Position): void {
    this.session.acknowledge(position)
    const channel = CHANNELS['rowtap:acknowledge']
    if (channel.hasSubscribers) channel.publish({ client: this.client, position })
  }

  failed(error: unknown): void {
    this.#fail(error)
  }

  passedOver(listener: OwnedListener, event: DeliveredEvent, error: RowtapError, how: 'skip' | 'dead letter'): void {
    this.#signals.passedOver({ kind: how, table: listener.request.table, event, error })
  }

  #fail(cause: unknown): void {
    if (this.#state === 'closed' || this.#state === 'failed') return
    const error = asRowtapError(this.driverName, cause)
    const isClosing = this.#state === 'closing'
    this.#state = 'failed'
    this.#listeners.reader.stop()
    this.#listeners.reader.stopAcknowledging()
    const { unfinished } = this.#listeners.reader
    this.#unfinished = unfinished
    const seen = this.#listeners.every.map((listener) => listener.fail(error))
    const heard = this.#signals.emit('error', error)
    if (!heard && !seen.includes(true)) {
      if (isClosing) this.#untold = error
      else throwUncaught(error)
    }
    this.#closing ??= this.#disconnect(DEFAULT_CLOSE_TIMEOUT_MS).then(
      () => ({ unfinished }),
      (closeError: unknown) => {
        // The failure was told; what goes wrong after it is told, too, and is no reason for `close()` to fail.
        if (!this.#signals.emit('error', asRowtapError(this.driverName, closeError))) throwUncaught(closeError)
        return { unfinished }
      },
    )
  }

  async #close(timeoutMs: number): Promise<CloseReport> {
    this.#state = 'closing'
    this.#listeners.reader.stop()
    this.#listeners.snapshots.stop()
    const listeners = this.#listeners.every
    // What is not live yet never will be.
    this.#abandon.abort(clientClosed())
    await within(
      timeoutMs,
      Promise.all([this.#messages.drain(this), ...listeners.map((listener) => listener.drain(this))]),
    )
    const unfinished = this.#unfinished ?? this.#listeners.reader.unfinished
    // Where the connection is lost, what was read since comes again: that is no reason not to close.
    await within(
      timeoutMs,
      this.#listeners.snapshots.close().catch(() => undefined),
    )
    // What is thrown away now was not handled, and must come again.
    this.#listeners.reader.stopAcknowledging()
    for (const listener of listeners) listener.end('closed')
    try {
      await this.#disconnect(0)
    } catch (error) {
      if (this.#untold === null) throw error
      throwUncaught(error)
    }
    if (this.#untold !== null) throw this.#untold
    if (this.#state === 'closing') this.#state = 'closed'
    return { unfinished }
  }

  /** Lets the handlers that run finish, for so long, and ends the session. */
  async #disconnect(timeoutMs: number): Promise<void> {
    this.#abandon.abort(clientClosed())
    const drained = this.#listeners.every.map((listener) => listener.drain(this))
    await within(timeoutMs, Promise.all([this.#messages.drain(this), ...drained]))
    for (const listener of this.#listeners.every) listener.giveUp()
    this.#messages.end()
    await this.session.close()
    await this.#listeners.reader.ended
    this.#listeners.clear()
  }

  #closeOn(signal: AbortSignal): void {
    const onAbort = (): void => {
      this.close().catch((error: unknown) => {
        if (this.#state === 'failed') throwUncaught(error)
        else this.#fail(error)
      })
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true, signal: this.#abandon.signal })
  }
}

/** Inside, a listener is of any row; what its user called it is known to the compiler alone. */
export function typedListener<R extends object, C extends Capabilities, A extends AckMode, S extends ListenerMode>(
  listener: TableListener,
): Listener<R, C, A, S> {
  return listener as unknown as Listener<R, C, A, S>
}
