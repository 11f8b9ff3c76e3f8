import type { Capabilities } from './capabilities/capabilities.ts'
import type { OperationChoice, OptionIf, Refused } from './capabilities/refused.ts'
import type { TableName } from './contract/table-name.ts'
import type { RetryPolicy } from './delivery/retry-policy.ts'
import type { AckMode, SignalEvent } from './event.ts'
import type { RowtapError } from './rowtap-error.ts'

/** What stands in `rows` of a listener that has other options than one without rows. */
export interface RowsChoice<C extends Capabilities> {
  readonly value: OptionIf<
    C,
    C['listeners']['withoutRows'],
    'rows',
    | true
    | Refused<`With 'rows: false' a listener has the options table, operations, concurrency, retry, onFailure, ack and signal only: there are no rows to choose from.`>
  >
}

/** Takes a signal whose handler failed for good, with the error. It counts as done when what this returns is. */
export type SignalFailureHandler<C extends Capabilities = Capabilities> = (
  event: SignalEvent<C>,
  error: RowtapError,
) => void | PromiseLike<void>

/** What a listener wants that is told only that its table has changed. */
export interface SignalListenOptions<C extends Capabilities = Capabilities> {
  /** The table, written as in SQL (`public.orders`, `"Odd Schema"."T"`; without a schema: `public`), or in its two parts. */
  readonly table: string | TableName
  /**
   * No rows: events are signals. At most one waits for each operation, whatever is written meanwhile: the one that waits
   * stands for that, too.
   */
  readonly rows: OptionIf<C, C['listeners']['withoutRows'], 'rows', false>
  /** The operations to be told of. Default: all that the driver supports. */
  readonly operations?: readonly OperationChoice<C>['value'][]
  /**
   * How many signals may be with handlers at once. They do not wait for each other, also not for those of the same
   * operation. Default: 1. A loop takes one at a time.
   */
  readonly concurrency?: number
  /** How a handler that fails is tried again. Default: it is not. */
  readonly retry?: RetryPolicy
  /** What becomes of a signal whose handler failed for good: as of an event with rows. Default: `'stop'`. */
  readonly onFailure?: 'stop' | 'skip' | SignalFailureHandler<C>
  /** `'manual'`: a signal is done when its `ack()` is called, and not when its handlers are. Default: `'auto'`. */
  readonly ack?: AckMode
  /** Stops the listener when aborted; one that is not live by then never is: its `ready` rejects with ERR_ABORTED. */
  readonly signal?: AbortSignal
}

/** The same with signals that are acknowledged one by one. */
export type ManualSignalListenOptions<C extends Capabilities = Capabilities> = SignalListenOptions<C> & {
  readonly ack: 'manual'
}
