import type { Capabilities } from './capabilities/capabilities.ts'
import type { DriverNotice } from './contract/driver.ts'
import type { LogicalMessage } from './contract/logical-message.ts'
import type { Position } from './contract/position.ts'
import type { TableName } from './contract/table-name.ts'
import type { AckMode, DeliveredEvent, EventKind, ListenerEvent, ListenerMode, Row } from './event.ts'
import type { AnyListenOptions, ListenOptions, ManualListenOptions, SnapshotListenOptions } from './listen-options.ts'
import type { ClientMetrics } from './metrics/client-metrics.ts'
import type { Plan } from './plan/plan.ts'
import type { RowtapError } from './rowtap-error.ts'
import type { ManualSignalListenOptions, SignalListenOptions } from './signal-listen-options.ts'
import type { SignalListener } from './signal-listener.ts'

/** Handles one event. What it returns is awaited before the event counts as done. */
export type EventHandler<E> = (event: E) => unknown

/** Handles one logical message. What it returns is awaited before anything after the message is handed over. */
export type MessageHandler = (message: LogicalMessage) => void | PromiseLike<unknown>

/**
 * A wish for the changes of one table. Events go to its handlers, or to one `for await` loop, in order, one at a
 * time. Until the first handler or loop is there they wait; an event for whose kind there is no handler is done.
 */
export interface Listener<
  R extends object = Row,
  C extends Capabilities = Capabilities,
  A extends AckMode = 'auto',
  S extends ListenerMode = 'none',
>
  extends AsyncIterable<ListenerEvent<R, C, A, S>>, AsyncDisposable {
  /**
   * Resolves when the listener is live: no change that commits from then on is missed.
   * Rejects with a RowtapError where it cannot be attached, and with ERR_ABORTED where its signal is aborted before.
   */
  readonly ready: Promise<void>
  /**
   * With `snapshot`: resolves when the last row is handled, or was when the subscription last ran. Rejects with a
   * RowtapError where the listener ends before. Without: resolves at once.
   */
  readonly snapshotDone: Promise<void>
  /** Adds a handler for one kind of event, or for every kind (`'change'`). Returns the function that removes it. */
  on<K extends EventKind>(
    kind: K,
    handler: EventHandler<Extract<ListenerEvent<R, C, A, S>, { readonly kind: K }>>,
  ): () => void
  on(kind: 'change', handler: EventHandler<ListenerEvent<R, C, A, S>>): () => void
  /**
   * Takes no further changes, and hands over what was received. Others are not disturbed. What is not handled within the
   * time limit is left: a client with a subscription does not acknowledge it, nor anything after it, so that it comes again
   * after a restart; one without lets go of it. `stop({ discard: true })` lets go of what waits, and of what was left
   * before. Without any handler or loop nothing is waited for. What comes from now on, as long as the client goes on, is
   * nobody's; after that a subscription goes on to capture the table, unless with `discard`.
   *
   * Of several calls each waits for its own time, and what waits is left when the last of these times is over, or dropped
   * as soon as one of them says so. Once the client has ended nobody waits.
   *
   * A loop is waited for until it has asked past the last event: in its body, leave it instead. A handler may call this: it
   * is not waited for, and what is behind it is handed over once it has returned; until then all of that is unfinished.
   *
   * Leaving a loop, by `break`, `return` or a throw, ends the listener without handing over what waits: the event of the
   * loop, too, is left. So do the listener's `signal`, and `await using`.
   *
   * @throws RowtapError ERR_INVALID_OPTIONS, at once; rejects where the source cannot be told.
   */
  stop(options?: StopOptions): Promise<StopReport>
}

/** How to stop a listener. */
export interface StopOptions {
  /** How long handlers may take to finish what was received, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number
  /**
   * Whether what waits is dropped, and counts as done, and the listener wants nothing any more: a subscription goes on to
   * capture its table only for other listeners that wanted it. Handlers that run finish. Default: false.
   */
  readonly discard?: boolean
}

/** How a listener ended. */
export interface StopReport {
  /**
   * How many received changes were not handled by then: a handler has them yet, or they were left. Told to a handler: its own,
   * and those behind it, which are handed over once it has returned.
   */
  readonly unfinished: number
}

/** An event that was given up after its handler failed for good, as its listener's `onFailure` says. */
export interface PassedOver {
  /** Skipped, or taken by the dead-letter handler. */
  readonly kind: 'skip' | 'dead letter'
  readonly table: TableName
  readonly event: DeliveredEvent
  /** An ERR_HANDLER, whose cause is what the handler threw. */
  readonly error: RowtapError
}

/** What a client tells besides changes. */
export interface ClientSignals {
  /** Changes may have been missed. */
  readonly gap: Extract<DriverNotice, { readonly kind: 'gap' }>
  /** The connection was lost, and is being made again. */
  readonly reconnect: Extract<DriverNotice, { readonly kind: 'reconnect' }>
  /** Something that others hold is being waited for. */
  readonly wait: Extract<DriverNotice, { readonly kind: 'wait' }>
  /** An event was given up; it counts as done. */
  readonly passedOver: PassedOver
  /** The client has stopped: nothing after the failed event is acknowledged. */
  readonly error: RowtapError
}

/** What hears of a client's signals, and of logical messages. */
export type ClientHandlers = { readonly [K in keyof ClientSignals]: (notice: ClientSignals[K]) => void } & {
  readonly message: MessageHandler
}

/** How a client ended. */
export interface CloseReport {
  /**
   * How many received changes were not handled before the client closed, those included that listeners of a client with a
   * subscription have left. They are not acknowledged. A change counts once for each listener that it is for.
   */
  readonly unfinished: number
}

/** How to close a client. */
export interface CloseOptions {
  /** How long handlers may take to finish what was received, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number
}

/** One connection of a driver, and the listeners on it. */
export interface Client<C extends Capabilities = Capabilities> extends AsyncDisposable {
  /** The driver's manifest. */
  readonly capabilities: C
  /** The position up to which every change of every listener is handled; `null` before the first. */
  readonly acknowledged: Position | null
  /**
   * Attaches a listener. It may be called at any time while the client is open. With `ack: 'manual'` its events have
   * `ack()`. `R` is a row as its events hold it, `T` a row of the table where `columns` leaves some of that out. With
   * `rows: false` it is told only that the table has changed.
   *
   * @throws RowtapError ERR_INVALID_OPTIONS, ERR_CAPABILITY_UNSUPPORTED or ERR_CLOSED, at once. What only the
   *   database can tell (an unknown table or column) rejects the listener's `ready`.
   */
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
  /**
   * What listeners with these options would make of their tables, beside those that are attached: what runs in the
   * database and what in the process, and every statement that would be executed. Executes none of them.
   *
   * A client is connected, and may have had to make things for that: `plan(driver, …)` shows these as well.
   *
   * @throws RowtapError (rejects) what `listen` throws, and what would reject a listener's `ready` before a statement is run.
   */
  plan(listeners?: readonly AnyListenOptions<C>[]): Promise<Plan>
  /**
   * Hears of what is not a change. Returns the function that removes the handler.
   *
   * When the client fails, the error goes to the `error` handlers, to every `for await` loop and to every pending
   * `ready` and `snapshotDone`. If there is none of these, it is thrown as an uncaught exception: it is never swallowed.
   *
   * `'message'` is for clients that were connected with `messages`. Messages come in the order of the stream: what was
   * committed before one is with its listeners, and what comes after waits until the handlers are done. Until the first
   * handler is there they wait, and all that comes after them. A handler that fails stops the client.
   *
   * @throws RowtapError ERR_INVALID_OPTIONS where there is no such signal, or the client does not ask for messages.
   */
  on<K extends keyof ClientHandlers>(signal: K, handler: ClientHandlers[K]): () => void
  /** What the client and its listeners have counted so far. It may be called at any time, also when the client is closed. */
  metrics(): ClientMetrics
  /**
   * Hands what was received to the handlers, acknowledges, disconnects. Later calls return the first one's promise. A
   * handler may wait for this: it is not waited for, and what could be handed over only after it has returned never is. Its
   * own change and those are unfinished. One that calls this and returns at once is waited for like any other.
   *
   * @throws RowtapError (rejects) what goes wrong meanwhile, where neither an `error` handler nor a loop hears of it.
   */
  close(options?: CloseOptions): Promise<CloseReport>
}
