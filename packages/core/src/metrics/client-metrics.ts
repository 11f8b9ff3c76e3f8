import type { Position } from '../contract/position.ts'
import type { TableName } from '../contract/table-name.ts'
import type { HistogramSnapshot } from './histogram.ts'
import type { SourceHealth } from './source-health.ts'

/** What is counted of deliveries. All but `waiting` and `bufferBytes` only grow. */
export interface DeliveryCounts {
  /** Changes of the table since the listener was attached: once for each listener, where several are counted together. */
  readonly received: number
  /**
   * Those of them that the listener did not want: another operation, no column of its own changed, its condition is
   * not true, or committed before it was live.
   */
  readonly filtered: number
  /**
   * Events whose handlers have returned, or that a loop has gone on from; also those for whose kind the listener has no
   * handler, which are done at once. An update that changes the key is one change and two events.
   */
  readonly delivered: number
  /** Events whose handlers failed for good. */
  readonly failed: number
  /** Those of them that were skipped, or taken by the dead-letter handler. */
  readonly passedOver: number
  /** Calls of a handler after one that failed. */
  readonly retried: number
  /**
   * Changes that were given up unhandled and count as done: `stop({ discard: true })` dropped them, or their listener
   * ended while they waited, in a client without a subscription.
   */
  readonly discarded: number
  /**
   * How long handlers, or loops, took for what was delivered or has failed, in milliseconds: retries included, a
   * dead-letter handler not.
   */
  readonly handlerMs: number
  /**
   * Changes that are not done: they wait, or a handler has them, or with `ack: 'manual'` nobody has acknowledged them. In
   * `tables` and `total` also those that a listener has left, in a client with a subscription.
   */
  readonly waiting: number
  /** How many bytes those hold, as received. */
  readonly bufferBytes: number
}

/** One listener that is attached, or is about to be. */
export interface ListenerMetrics extends DeliveryCounts {
  readonly table: TableName
  /** How far its snapshot is; `null` for a listener without one. */
  readonly snapshot: SnapshotMetrics | null
}

/** How far a listener's snapshot is. */
export interface SnapshotMetrics {
  /** Rows that this client has read so far, those included that the listener's condition is not true of. */
  readonly rows: number
  /** About how many rows the table had when the listener was attached, as the database last counted; `null` where it never did. */
  readonly estimate: number | null
  /** Whether the listener is done with every row. */
  readonly isDone: boolean
}

/** All listeners that a table has, and has had. */
export interface TableMetrics extends DeliveryCounts {
  readonly table: TableName
  /** How many listeners are attached now. */
  readonly listeners: number
}

/** What a client has done so far: plain data, made when it is asked for. */
export interface ClientMetrics {
  /** Changes that the driver has delivered, whether or not anybody wants them. */
  readonly changes: number
  /** The position up to which every change of every listener is handled; `null` before the first. */
  readonly acknowledged: Position | null
  /**
   * How long ago the change was committed that was delivered last, in milliseconds; `null` while none was whose commit
   * time is known. It grows while nothing is written: how late events are is what `delay` says.
   */
  readonly lagMs: number | null
  /** How the database keeps what this client still has to read, as the driver last saw it; `null` where it does not know. */
  readonly source: SourceHealth | null
  /**
   * How long handlers, or loops, took for each event that was delivered or has failed: retries included, a dead-letter
   * handler not. Its sum is `total.handlerMs`.
   */
  readonly handlerDuration: HistogramSnapshot
  /**
   * How long after its commit each of the same events was handed over, as far as commit times are known, by the clocks of
   * both machines. An event is counted once its handlers have ended.
   */
  readonly delay: HistogramSnapshot
  /** All listeners together, those included that are gone. */
  readonly total: DeliveryCounts
  /** By table. */
  readonly tables: readonly TableMetrics[]
  /** By listener, in the order in which they came. One that is gone is in `tables` and `total` only. */
  readonly listeners: readonly ListenerMetrics[]
}
