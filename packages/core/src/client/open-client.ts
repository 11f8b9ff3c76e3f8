import type { Capabilities } from '../capabilities/capabilities.ts'
import type { Client, ClientSignals, CloseOptions, CloseReport, Listener } from '../client.ts'
import type { Change, ChangeBatch, Driver, DriverSession, Transaction } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import { AcknowledgementTracker } from '../delivery/acknowledgement-tracker.ts'
import type { ListenerOwner } from '../delivery/table-listener.ts'
import { TableListener } from '../delivery/table-listener.ts'
import { ListenerRouting } from '../dispatch/listener-routing.ts'
import type { Row } from '../event.ts'
import type { ListenOptions } from '../listen-options.ts'
import type { ConnectRequest } from '../options/connect-request.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { checkOptionNames, invalidOptions } from '../options/check-option-names.ts'
import { listenRequest } from '../options/listen-request.ts'
import { RowtapError } from '../rowtap-error.ts'
import { Attachments } from './attachments.ts'
import { asRowtapError, clientClosed, throwIfAborted } from './client-errors.ts'
import { Signals, throwUncaught } from './signals.ts'
import { within } from './within.ts'

const DEFAULT_CLOSE_TIMEOUT_MS = 10_000

/**
 * A client at work: it reads the driver's batches, offers each change to the listeners of its table, and keeps
 * account of what is done.
 *
 * ```
 * open ──close()──▶ closing ──▶ closed
 *   └───a failure──▶ failed
 * ```
 */
export class OpenClient<C extends Capabilities> implements Client<C>, ListenerOwner {
  readonly capabilities: C
  readonly #driverName: string
  readonly #session: DriverSession
  readonly #signals: Signals
  /** Tells the driver to give up whatever it waits for. */
  readonly #abandon: AbortController
  readonly #listeners = new Set<TableListener>()
  readonly #routing = new ListenerRouting()
  readonly #attachments: Attachments
  readonly #tracker: AcknowledgementTracker
  readonly #reading: Promise<void>
  #state: 'open' | 'closing' | 'closed' | 'failed' = 'open'
  #closing: Promise<CloseReport> | null = null
  /** Where the reading is: a listener that becomes live now sees what comes after. */
  #lastPosition: Position | null = null
  #lastTransaction: Transaction | null = null
  #roomMade: (() => void) | null = null

  /** Connects the driver. What goes wrong is a RowtapError. */
  static async open<C extends Capabilities>(driver: Driver<C>, request: ConnectRequest): Promise<OpenClient<C>> {
    const signals = new Signals()
    signals.addAll(request.on)
    const abandon = new AbortController()
    const { signal } = request
    throwIfAborted(signal)
    const onAbort = (): void => abandon.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const session = await driver.open({
        subscription: request.subscription,
        signal: abandon.signal,
        notify: (notice) => signals.notify(notice),
      })
      const client = new OpenClient(driver, session, signals, abandon)
      if (signal !== null) client.#closeOn(signal)
      return client
    } catch (error) {
      throwIfAborted(signal, error)
      throw asRowtapError(driver.name, error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  private constructor(driver: Driver<C>, session: DriverSession, signals: Signals, abandon: AbortController) {
    this.capabilities = driver.capabilities
    this.#driverName = driver.name
    this.#session = session
    this.#signals = signals
    this.#abandon = abandon
    this.#tracker = new AcknowledgementTracker((position) => session.acknowledge(position))
    this.#attachments = new Attachments(session, {
      attached: (listeners, from) => this.#attached(listeners, from),
      refused: (listener, error) => this.#refused(listener, error),
    })
    this.#reading = this.#read()
  }

  get acknowledged(): Position | null {
    return this.#tracker.acknowledged
  }

  listen<R extends object = Row>(options: ListenOptions<C, R>): Listener<R, C> {
    if (this.#state !== 'open') throw clientClosed()
    const listener = this.attach(
      listenRequest(this.capabilities, options),
      (request) => new TableListener(request, this),
    )
    return typedListener<R, C>(listener)
  }

  /** Attaches a listener for a request that was checked before. */
  attach(request: ListenRequest, create: (request: ListenRequest) => TableListener): TableListener {
    const listener = create(request)
    if (this.#state !== 'open') {
      listener.fail(clientClosed())
      return listener
    }
    this.#listeners.add(listener)
    this.#attachments.attach(listener)
    return listener
  }

  on<K extends keyof ClientSignals>(signal: K, handler: (notice: ClientSignals[K]) => void): () => void {
    return this.#signals.on(signal, handler)
  }

  close(options: CloseOptions = {}): Promise<CloseReport> {
    const timeoutMs = closeTimeout(options)
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  done(entry: AcknowledgementEntry): void {
    this.#tracker.done(entry)
  }

  roomMade(): void {
    this.#roomMade?.()
  }

  failed(error: unknown): void {
    this.#fail(error)
  }

  async detach(listener: TableListener): Promise<void> {
    this.#forget(listener)
    if (this.#state !== 'open') return
    try {
      await this.#attachments.detach(listener)
    } catch (error) {
      // While the client closes, the session's end removes what the listener had.
      if (this.#state === 'open') throw asRowtapError(this.#driverName, error)
    }
  }

  async #read(): Promise<void> {
    try {
      for await (const batch of this.#session.batches()) {
        if (this.#state !== 'open') return
        this.#dispatch(batch)
        await this.#room()
      }
      if (this.#state === 'open') {
        throw new RowtapError('ERR_DRIVER_CONTRACT', {
          message: `The driver '${this.#driverName}' ended its stream of changes while the client was open.`,
        })
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #dispatch(batch: ChangeBatch): void {
    const bytes = Math.ceil(batch.bytes / Math.max(1, batch.changes.length))
    /** The listeners that took something of the batch, with how much. */
    const takers = new Map<TableListener, number>()
    let entry: AcknowledgementEntry | null = null
    for (const change of batch.changes) {
      this.#checkOrder(change)
      if (entry === null || change.transaction !== this.#lastTransaction) entry = this.#tracker.add(change.position)
      else entry.last = change.position
      this.#lastPosition = change.position
      this.#lastTransaction = change.transaction
      for (const listener of this.#routing.listenersOf(change.relation)) {
        if (listener.offer(change, entry, bytes)) {
          entry.pending += 1
          takers.set(listener, (takers.get(listener) ?? 0) + 1)
        }
      }
    }
    this.#tracker.settle()
    for (const listener of takers.keys()) listener.wake()
    detachWaiting(batch, takers)
  }

  #checkOrder(change: Change): void {
    if (this.#lastPosition === null || change.position > this.#lastPosition) return
    throw new RowtapError('ERR_DRIVER_CONTRACT', {
      message: `The driver '${this.#driverName}' delivered position ${change.position} after ${this.#lastPosition}: positions must grow.`,
      eventId: change.id,
    })
  }

  /** Resolves when every listener can take more. Meanwhile nothing is read, so that memory stays bounded. */
  async #room(): Promise<void> {
    while (this.#state === 'open' && [...this.#listeners].some((listener) => !listener.hasRoom)) {
      await new Promise<void>((resolve) => {
        this.#roomMade = resolve
      })
      this.#roomMade = null
    }
  }

  #attached(listeners: readonly TableListener[], from: Position): void {
    // What was read before this moment was committed before it, too, whatever the driver could know of that.
    const position = this.#lastPosition !== null && this.#lastPosition > from ? this.#lastPosition : from
    for (const listener of listeners) {
      if (listener.isStopped) continue
      this.#routing.add(listener)
      listener.live(position, this.#lastTransaction)
    }
  }

  #refused(listener: TableListener, error: unknown): void {
    this.#forget(listener)
    if (listener.isStopped) return
    const reason = this.#state === 'open' ? asRowtapError(this.#driverName, error) : clientClosed()
    const seen = listener.fail(reason)
    // Nobody looks at this listener's `ready`: that it will never deliver must not go unnoticed.
    if (!seen && this.#state === 'open') this.#fail(reason)
  }

  #forget(listener: TableListener): void {
    this.#listeners.delete(listener)
    this.#routing.remove(listener)
    this.roomMade()
  }

  #fail(cause: unknown): void {
    if (this.#state === 'closed' || this.#state === 'failed') return
    const error = asRowtapError(this.#driverName, cause)
    this.#state = 'failed'
    this.#tracker.stop()
    const unfinished = unfinishedOf(this.#listeners)
    const seen = [...this.#listeners].map((listener) => listener.fail(error))
    const heard = this.#signals.emit('error', error)
    if (!heard && !seen.includes(true)) throwUncaught(error)
    this.#closing ??= this.#disconnect(DEFAULT_CLOSE_TIMEOUT_MS).then(
      () => ({ unfinished }),
      (closeError: unknown) => {
        // The failure was told; what goes wrong after it is told, too, and is no reason for `close()` to fail.
        if (!this.#signals.emit('error', asRowtapError(this.#driverName, closeError))) throwUncaught(closeError)
        return { unfinished }
      },
    )
  }

  async #close(timeoutMs: number): Promise<CloseReport> {
    this.#state = 'closing'
    this.#roomMade?.()
    const listeners = [...this.#listeners]
    // What is not live yet never will be.
    this.#abandon.abort(clientClosed())
    await within(timeoutMs, Promise.all(listeners.map((listener) => listener.drain())))
    const unfinished = unfinishedOf(listeners)
    // What is thrown away now was not handled, and must come again.
    this.#tracker.stop()
    for (const listener of listeners) listener.end()
    await this.#disconnect(0)
    if (this.#state === 'closing') this.#state = 'closed'
    return { unfinished }
  }

  /** Lets the handlers that run finish, for so long, and ends the session. */
  async #disconnect(timeoutMs: number): Promise<void> {
    this.#roomMade?.()
    this.#abandon.abort(clientClosed())
    await within(timeoutMs, Promise.all([...this.#listeners].map((listener) => listener.settled())))
    await this.#session.close()
    await this.#reading
    this.#listeners.clear()
  }

  #closeOn(signal: AbortSignal): void {
    const onAbort = (): void => {
      this.close().catch((error: unknown) => this.#fail(error))
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true, signal: this.#abandon.signal })
  }
}

/**
 * A change may hold on to everything that was received with it. Where few of a batch have to wait, they are given
 * memory of their own, so that what waits holds about what it is counted for.
 */
function detachWaiting(batch: ChangeBatch, takers: ReadonlyMap<TableListener, number>): void {
  const waiting = [...takers].map(([listener, taken]) => ({ listener, count: Math.min(taken, listener.waiting) }))
  const most = Math.max(0, ...waiting.map(({ count }) => count))
  if (most === 0 || most * 2 >= batch.changes.length) return
  const detached = new Map<Change, Change>()
  for (const { listener, count } of waiting) {
    listener.replaceLast(count, (change) => {
      const own = detached.get(change) ?? change.detach?.() ?? change
      detached.set(change, own)
      return own
    })
  }
}

/** Inside, a listener is of any row; what its user called it is known to the compiler alone. */
export function typedListener<R extends object, C extends Capabilities>(listener: TableListener): Listener<R, C> {
  return listener as unknown as Listener<R, C>
}

function unfinishedOf(listeners: Iterable<TableListener>): number {
  let sum = 0
  for (const listener of listeners) sum += listener.unfinished
  return sum
}

function closeTimeout(options: CloseOptions): number {
  checkOptionNames('close()', options, ['timeoutMs'])
  const { timeoutMs = DEFAULT_CLOSE_TIMEOUT_MS } = options
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0))
    throw invalidOptions(`'timeoutMs' is a number of milliseconds.`)
  return timeoutMs
}
