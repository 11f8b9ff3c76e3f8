import type { Capabilities } from './capabilities/capabilities.ts'
import type { OperationChoice, OptionIf } from './capabilities/refused.ts'
import type { ClientSignals } from './client.ts'
import type { TableName } from './contract/table-name.ts'
import type { ColumnName, Row } from './event.ts'

/** What a listener wants. */
export interface ListenOptions<C extends Capabilities = Capabilities, R extends object = Row> {
  /** The table, written as in SQL (`public.orders`, `"Odd Schema"."T"`; without a schema: `public`), or in its two parts. */
  readonly table: string | TableName
  /** The operations to deliver. Default: all that the driver supports. */
  readonly operations?: readonly OperationChoice<C>['value'][]
  /**
   * The columns that rows hold, and nothing else. An update that changes none of them is not delivered. Default: all.
   */
  readonly columns?: OptionIf<C, C['columns']['projection'], 'columns', readonly ColumnName<R>[]>
  /** The columns that identify a row. Default: the primary key, or every column where there is none. */
  readonly key?: OptionIf<C, C['keys']['declared'], 'key', readonly ColumnName<R>[]>
  /** Which rows to deliver. No driver evaluates conditions yet. */
  readonly where?: OptionIf<C, C['conditions']['where'], 'where', unknown>
  /**
   * What to do where an update's old row is not to be had.
   *
   * - `'exact'` (default): refuse the listener with the statement that would enable it, where it needs old rows.
   * - `'idempotent'`: deliver events whose fold is still right: an update may change none of `columns`.
   */
  readonly transitions?: 'exact' | 'idempotent'
  /** How much may wait for this listener's handlers before reading slows down, in bytes as received. Default: 4 MiB. */
  readonly bufferBytes?: number
  /** Stops the listener when aborted. */
  readonly signal?: AbortSignal
}

/** How a client is opened. */
export interface ConnectOptions<C extends Capabilities = Capabilities> {
  /** The name of a durable subscription, which survives restarts. Left out: ephemeral. */
  readonly subscription?: OptionIf<C, C['delivery']['subscription'], 'subscription', string>
  /** Closes the client when aborted, and gives up connecting. */
  readonly signal?: AbortSignal
  /** Handlers that hear of the client's signals from the first moment on: also of what connecting waits for. */
  readonly on?: { readonly [K in keyof ClientSignals]?: (notice: ClientSignals[K]) => void }
}
