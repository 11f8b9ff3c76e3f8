import type { Operation } from '../capabilities/capabilities.ts'
import type { PlacedMessage } from './logical-message.ts'
import type { Position } from './position.ts'
import type { Relation, Tuple } from './relation.ts'

/** Some consecutive changes. A transaction may span several batches. */
export interface ChangeBatch {
  readonly changes: readonly Change[]
  /** The logical messages among them, in the order of their positions; left out: none. A batch may hold nothing else. */
  readonly messages?: readonly PlacedMessage[]
  /** About how much memory the changes hold. */
  readonly bytes: number
  /**
   * Tells that everybody is done with every change of the batch, and reads no row of it again: what they lie in may be
   * given back, or used for what comes next. Called once at most, and maybe never: what is not given back is garbage in
   * the end.
   */
  release?(): void
}

/** The transaction that a change belongs to. One object for each transaction, shared by its changes. */
export interface Transaction {
  /** The transaction's id, as PostgreSQL's `xid8` or `xid` prints it. */
  readonly id: string
  /** When it committed; `null` where the driver's manifest does not promise it and the server does not tell. */
  readonly commitTime: Date | null
}

/** One change as a driver delivers it: undecoded, unfiltered, in the table's own terms. */
export interface Change {
  readonly kind: Operation
  readonly relation: Relation
  /** The row after the change; `null` for a delete or truncate. */
  readonly new: Tuple | null
  /** The row before the change, as far as it is known; `null` for an insert, a truncate, and an update without an old row. */
  readonly old: Tuple | null
  readonly transaction: Transaction
  /**
   * Stands for one change or more of its kind that its transaction made to the table: neither row is there. Only of tables
   * whose rows nobody wants, or wanted when it was made. Left out: it is one change, with its rows.
   */
  readonly withoutRows?: true
  /** The same for the same change whenever it is delivered. Unique among the changes of one database. */
  readonly id: string
  /** Greater than the position of every change before it. */
  readonly position: Position
  /**
   * The same change in memory of its own. A driver whose changes hold on to what was received with them has this: core
   * calls it for a change that has to wait while most of its batch is done with.
   */
  detach?(): Change
}
