import type { Capabilities } from './capabilities/capabilities.ts'
import type { OperationChoice, OptionIf, TransitionChoice } from './capabilities/refused.ts'
import type { ClientHandlers } from './client.ts'
import type { ConditionSource } from './conditions/condition-source.ts'
import type { Condition } from './conditions/condition.ts'
import type { Where } from './conditions/where.ts'
import type { TableName } from './contract/table-name.ts'
import type { RetryPolicy } from './delivery/retry-policy.ts'
import type { AckMode, ChangeEvent, ColumnName, Row } from './event.ts'
import type { RowtapError } from './rowtap-error.ts'
import type { RowsChoice, SignalListenOptions } from './signal-listen-options.ts'

/**
 * Takes an event whose handler failed for good, with the error (`ERR_HANDLER`, whose cause is the handler's). The event
 * counts as done when what this returns is.
 */
export type FailureHandler<C extends Capabilities = Capabilities, R extends object = Row> = (
  event: ChangeEvent<R, C>,
  error: RowtapError,
) => void | PromiseLike<void>

/**
 * What a listener wants. `R` is a row as its events hold it, `T` a row of the table where `columns` leaves some of that
 * out: `listen<Pick<Order, 'id' | 'total'>, Order>({ …, columns: ['id', 'total'], where: { status: 'paid' } })`.
 */
export interface ListenOptions<C extends Capabilities = Capabilities, R extends object = Row, T extends object = R> {
  /** The table, written as in SQL (`public.orders`, `"Odd Schema"."T"`; without a schema: `public`), or in its two parts. */
  readonly table: string | TableName
  /**
   * The operations to deliver. Default: all that the driver supports. With `where` it says what the statements did: an
   * UPDATE that moves a row into the condition or out of it is an update here, and an insert or delete as an event.
   */
  readonly operations?: readonly OperationChoice<C>['value'][]
  /** `false` is another kind of listener, with other options ({@link SignalListenOptions}): its events have no rows. Default: true. */
  readonly rows?: RowsChoice<C>['value']
  /**
   * The columns that rows hold, and nothing else. An update that changes none of them is not delivered. Default: all.
   */
  readonly columns?: OptionIf<C, C['columns']['projection'], 'columns', readonly ColumnName<R>[]>
  /** The columns that identify a row, whether `columns` has them or not. Default: the primary key, or every column where there is none. */
  readonly key?: OptionIf<C, C['keys']['declared'], 'key', readonly ColumnName<T>[]>
  /**
   * Which rows to deliver: an object by columns, a condition tree, or something that becomes one (`` sql`…` ``). A row
   * that an update moves into the condition is an insert, one that it moves out a delete. A truncate is always
   * delivered. It may name columns that `columns` leaves out. Default: every row.
   */
  readonly where?: OptionIf<C, C['conditions']['where'], 'where', Where<T> | Condition | ConditionSource>
  /**
   * What to do where an update's old row is not to be had.
   *
   * - `'exact'` (default): refuse the listener with the statement that would enable it, where it needs old rows.
   * - `'idempotent'`: deliver events whose fold is still right: an update may change none of `columns`, or be of a row
   *   that was not in the condition before; a delete may be of a row that was never in it.
   */
  readonly transitions?: TransitionChoice<C>['value']
  /**
   * `'initial'`: begin with the rows that the table has, each as an event of the kind `snapshot`, and go on with every
   * change of them. A durable subscription remembers what was done. The table needs a primary key, or a `key` with a unique
   * index that is never NULL. Write it where the listener is made: the compiler knows of `snapshot` events of listeners
   * that it knows to have it. Default: changes only.
   */
  readonly snapshot?: OptionIf<C, C['snapshot']['initial'], 'snapshot', 'initial'>
  /**
   * How much may wait for this listener's handlers before reading pauses, in bytes as received. It is looked at after each
   * batch of the driver's, so that what waits is less than this and one batch. Default: 4 MiB.
   */
  readonly bufferBytes?: number
  /** How many events may be with handlers at once. Default: 1. A loop takes one at a time. */
  readonly concurrency?: number
  /**
   * What stays in order when `concurrency` is greater than 1.
   *
   * - `'key'` (default): events of one key, and a truncate with everything.
   * - `'none'`: nothing but a truncate.
   * - `'commit'`: everything; `concurrency` must be 1.
   */
  readonly orderBy?: 'key' | 'commit' | 'none'
  /** How a handler that fails is tried again; meanwhile its key waits. Default: it is not. */
  readonly retry?: RetryPolicy
  /**
   * What becomes of an event whose handler failed for good.
   *
   * - `'stop'` (default): the client stops; the event and everything after it is not acknowledged.
   * - `'skip'`: it counts as done, and the client's signal `passedOver` tells of it.
   * - a function ({@link FailureHandler}): it counts as done when what the function returns is; if that fails, the client
   *   stops with an ERR_HANDLER whose cause is an AggregateError of what the handler and the function threw.
   */
  readonly onFailure?: 'stop' | 'skip' | FailureHandler<C, R>
  /**
   * `'manual'`: an event is done when its `ack()` is called, and not when its handlers are. Write it where the listener is
   * made: the compiler gives `ack()` to the events of listeners that it knows to be manual. Default: `'auto'`.
   */
  readonly ack?: AckMode
  /** Stops the listener when aborted; one that is not live by then never is: its `ready` rejects with ERR_ABORTED. */
  readonly signal?: AbortSignal
}

/** What a listener wants whose events are acknowledged one by one. */
export type ManualListenOptions<
  C extends Capabilities = Capabilities,
  R extends object = Row,
  T extends object = R,
> = ListenOptions<C, R, T> & { readonly ack: 'manual' }

/** What a listener wants that begins with its table's rows. */
export type SnapshotListenOptions<
  C extends Capabilities = Capabilities,
  R extends object = Row,
  T extends object = R,
> = ListenOptions<C, R, T> & { readonly snapshot: 'initial' }

/** How a client is opened. */
export interface ConnectOptions<C extends Capabilities = Capabilities> {
  /**
   * The name of a durable subscription, which survives restarts: 1 to 40 lower-case letters, digits and underscores,
   * beginning with a letter. Left out: ephemeral.
   */
  readonly subscription?: OptionIf<C, C['delivery']['subscription'], 'subscription', string>
  /**
   * Whether to wait while another process has the subscription, and to take it over when that one ends. `false`:
   * ERR_SUBSCRIPTION_IN_USE. Default: true.
   */
  readonly wait?: OptionIf<C, C['delivery']['subscription'], 'wait', boolean>
  /**
   * How long changes of a table that the subscription captured before wait for a listener of this client, in
   * milliseconds after the first one was attached. After that they are passed over, with a `gap`. `Infinity` is
   * allowed. Default: 10,000.
   */
  readonly resumeTimeoutMs?: OptionIf<C, C['delivery']['subscription'], 'resumeTimeoutMs', number>
  /**
   * What to do where the database no longer has the changes after the acknowledged position.
   *
   * - `'stop'` (default): ERR_POSITION_LOST, whose message says what to do.
   * - `'restart'`: begin anew from now on, with a `gap` from the last known position.
   */
  readonly onPositionLost?: OptionIf<C, C['delivery']['subscription'], 'onPositionLost', 'stop' | 'restart'>
  /**
   * Whether to receive what programs write with `pg_logical_emit_message`: all of it, or the messages with these prefixes.
   * The server sends every message of the database, and those with other prefixes are left out here. Default: none.
   */
  readonly messages?: OptionIf<
    C,
    C['messages']['logical'],
    'messages',
    boolean | { readonly prefixes?: readonly string[] }
  >
  /** Closes the client when aborted, and gives up connecting. */
  readonly signal?: AbortSignal
  /** Handlers that hear of the client's signals from the first moment on: also of what connecting waits for. */
  readonly on?: Partial<ClientHandlers>
}

/** What a listener of either kind wants. */
export type AnyListenOptions<C extends Capabilities = Capabilities> = ListenOptions<C> | SignalListenOptions<C>
