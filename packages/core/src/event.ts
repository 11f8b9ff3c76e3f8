import type { Capabilities, Operation } from './capabilities/capabilities.ts'
import type { Position } from './contract/position.ts'

/**
 * A row of unknown shape: values by column name, as `pg` returns them. The row is its listener's own; a value that is an
 * object (a Date, a Buffer, parsed JSON) may be shared with other listeners, and is not to be modified in place.
 */
export type Row = Record<string, unknown>

/** The names of a row type's columns. */
export type ColumnName<R extends object> = Extract<keyof R, string>

/** The transaction that made a change. */
export interface EventTransaction<C extends Capabilities = Capabilities> {
  /** The transaction's id, as PostgreSQL prints it. */
  readonly id: string
  /** When it committed, to the millisecond. `null` only with drivers whose manifest says `transactions.commitTime: false`. */
  readonly commitTime: C['transactions']['commitTime'] extends 'database' | 'process' ? Date : Date | null
}

interface EventBase {
  /**
   * Stable identity: the same after a crash and redelivery, so that a receiver can deduplicate. An event that is derived
   * from an update has one of its own, so that it is not taken for the update that another listener has.
   */
  readonly id: string
  readonly schema: string
  /** The table's name. A change in a partition carries the partitioned table's. */
  readonly table: string
  /**
   * Columns whose value the database did not send (an unchanged TOASTed value; an old row without full replica
   * identity). Each is absent from the row that lacks it.
   */
  readonly unavailable: readonly string[]
  /**
   * Where in the driver's stream the change is: opaque, and comparable with `<`. Of a snapshot's row: where the stream was
   * when it was read, which says nothing about how it stands to changes of other rows.
   */
  readonly position: Position
}

interface ChangeBase<C extends Capabilities> extends EventBase {
  readonly transaction: EventTransaction<C>
}

/** The old row: whole where the driver always has it, otherwise what the table's replica identity gives. */
type OldRow<C extends Capabilities, R extends object> = C['rows']['oldWithoutSetup'] extends 'database' | 'process'
  ? R
  : Partial<R>

/** A row came to be. */
export interface InsertEvent<R extends object = Row, C extends Capabilities = Capabilities> extends ChangeBase<C> {
  readonly kind: 'insert'
  /** The key columns and their values. */
  readonly key: Partial<R>
  /** The row. One that is derived from an update may lack the columns in `unavailable`. */
  readonly new: R
  readonly old: null
  readonly changed: null
  /**
   * `'update'` where an update changed the key (the row's other half is a delete in the same transaction), or moved the
   * row into the listener's condition.
   */
  readonly derivedFrom: 'update' | null
}

/** A row was changed, and its key was not. */
export interface UpdateEvent<R extends object = Row, C extends Capabilities = Capabilities> extends ChangeBase<C> {
  readonly kind: 'update'
  /** The key columns and their values. */
  readonly key: Partial<R>
  /** The row after the update; with a driver that says `rows.unchangedLargeValues: false`, without the columns in `unavailable`. */
  readonly new: C['rows']['unchangedLargeValues'] extends 'database' | 'process' ? R : Partial<R>
  /** The row before the update, as far as it is known; `null` where it is not. */
  readonly old: OldRow<C, R> | (C['rows']['oldWithoutSetup'] extends 'database' | 'process' ? never : null)
  /** The columns whose values differ, compared as text; `null` where the old row is not known. */
  readonly changed: readonly ColumnName<R>[] | null
  readonly derivedFrom: null
}

/** A row ceased to be. */
export interface DeleteEvent<R extends object = Row, C extends Capabilities = Capabilities> extends ChangeBase<C> {
  readonly kind: 'delete'
  /** The key columns and their values. */
  readonly key: Partial<R>
  readonly new: null
  /** The row, as far as it is known: the key columns at least. */
  readonly old: OldRow<C, R>
  readonly changed: null
  /**
   * `'update'` where an update changed the key (the row's other half is an insert in the same transaction), or moved the
   * row out of the listener's condition.
   */
  readonly derivedFrom: 'update' | null
}

/** A table was emptied. */
export interface TruncateEvent<C extends Capabilities = Capabilities> extends ChangeBase<C> {
  readonly kind: 'truncate'
  readonly key: null
  readonly new: null
  readonly old: null
  readonly changed: null
  readonly derivedFrom: null
}

/** A row that was there when a listener with `snapshot` read its table. Every change of it that follows is an event of its own. */
export interface SnapshotEvent<R extends object = Row> extends EventBase {
  readonly kind: 'snapshot'
  /** The key columns and their values. */
  readonly key: Partial<R>
  /** The row, as it was when it was read. */
  readonly new: R
  readonly old: null
  readonly changed: null
  readonly derivedFrom: null
  /** Nobody knows which transaction wrote the row. */
  readonly transaction: null
}

/**
 * A table was changed. It stands for every change of its operation and table up to its position that no signal of the
 * listener has stood for yet, and for what else their transactions changed by that operation; what these made of the
 * table is there to be read.
 */
export interface SignalEvent<C extends Capabilities = Capabilities> extends ChangeBase<C> {
  readonly kind: 'signal'
  /** What was done to rows of the table. */
  readonly operation: Operation
  readonly key: null
  readonly new: null
  readonly old: null
  readonly changed: null
  readonly derivedFrom: null
}

/** One change, discriminated by `kind`. */
export type ChangeEvent<R extends object = Row, C extends Capabilities = Capabilities> =
  | InsertEvent<R, C>
  | UpdateEvent<R, C>
  | DeleteEvent<R, C>
  | TruncateEvent<C>

/** Whatever a listener is given: a change, a row of a snapshot, or a signal that there were changes. */
export type DeliveredEvent<R extends object = Row, C extends Capabilities = Capabilities> =
  | ChangeEvent<R, C>
  | SnapshotEvent<R>
  | SignalEvent<C>

/** What an event can be. */
export type EventKind = DeliveredEvent['kind']

/** When an event is done: when its handlers are, or when somebody says so. */
export type AckMode = 'auto' | 'manual'

/** Whether a listener begins with its table's rows, or with what changes from now on. */
export type SnapshotMode = 'initial' | 'none'

/** The same, or that it has no rows at all. */
export type ListenerMode = SnapshotMode | 'signals'

/** What events of a listener with `ack: 'manual'` have besides their change. */
export interface Acknowledgeable {
  /**
   * Says that the event is done, at any time, in any order; what it is called as does not matter. A second call changes
   * nothing, and nor does one after the listener's end: what was not acknowledged before that comes again.
   */
  readonly ack: () => void
}

/** An event as a listener's handlers and loop have it. */
export type ListenerEvent<
  R extends object = Row,
  C extends Capabilities = Capabilities,
  A extends AckMode = 'auto',
  S extends ListenerMode = 'none',
> = A extends 'manual' ? EventOf<R, C, S> & Acknowledgeable : EventOf<R, C, S>

/** Only listeners with `snapshot` have its events, whose transaction is not known. */
type EventOf<R extends object, C extends Capabilities, S extends ListenerMode> = S extends 'initial'
  ? ChangeEvent<R, C> | SnapshotEvent<R>
  : S extends 'signals'
    ? SignalEvent<C>
    : ChangeEvent<R, C>

/** A signal as the handlers and the loop of a listener without rows have it. */
export type ListenerSignal<C extends Capabilities = Capabilities, A extends AckMode = 'auto'> = A extends 'manual'
  ? SignalEvent<C> & Acknowledgeable
  : SignalEvent<C>
