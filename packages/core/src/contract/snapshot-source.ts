import type { Transaction } from './driver.ts'
import type { Position } from './position.ts'
import type { Relation, Tuple } from './relation.ts'
import type { TableName } from './table-name.ts'

/** The values of a table's key as their types print them, in the order of {@link SnapshotKey.columns}. */
export type KeyTexts = readonly string[]

/** How a table is read in pieces. */
export interface SnapshotKey {
  /** The columns of the key, in the order in which rows are sorted by them. */
  readonly columns: readonly string[]
  /** About how many rows the table has; `null` where nobody has counted. */
  readonly estimate: number | null
}

/** A piece of a table that is wanted. */
export interface SnapshotRequest {
  readonly table: TableName
  readonly key: SnapshotKey
  /** The columns that are needed, those of the key included; `null` for all. A driver may read more. */
  readonly columns: ReadonlySet<string> | null
  /** Rows whose key is greater than this; `null`: from the first row on. */
  readonly after: KeyTexts | null
  /** Rows whose key is not greater than this; `null`: to the last row. */
  readonly upTo: KeyTexts | null
  /** Not more rows than this. */
  readonly maxRows: number
  /** About not more than this, if it is more than one row. */
  readonly maxBytes: number
}

/** A piece of a table, as one snapshot of the database has it. */
export interface SnapshotChunk {
  readonly relation: Relation
  /** In the order of the key. */
  readonly rows: readonly Tuple[]
  /** About how much memory the rows hold. */
  readonly bytes: number
  /** Whether no row of the request is left. */
  readonly isLast: boolean
  /** The snapshot, as text: to be given to {@link SnapshotSource.visibility}, also after a restart. */
  readonly state: string
  /** No change with a greater position is visible in the snapshot. Never smaller than that of an earlier chunk. */
  readonly until: Position
}

/** Keys to be compared with others. */
export interface KeyComparison {
  readonly table: TableName
  readonly key: SnapshotKey
  readonly keys: readonly KeyTexts[]
  /** In ascending order. */
  readonly boundaries: readonly KeyTexts[]
}

/**
 * Reads tables as they are. Its calls may be made at any time, and several at once, without regard to those of the
 * session; none of them waits for the stream. A connection that is lost meanwhile is made anew, and the call run again.
 */
export interface SnapshotSource {
  /** What {@link saveProgress} was told when the subscription last ran; `null` where that does not hold any more. */
  readonly resumed: string | null
  /** Whether {@link resumed} still holds for a table: no change of it was missed since. Left out: it does, for each. */
  resumes?(table: TableName): boolean
  /**
   * Finds what a table's rows are sorted by.
   *
   * @param key the columns that are to be the key; `null`: the primary key.
   * @throws RowtapError ERR_SETUP_REQUIRED where no such key is unique and never NULL, or the rows may not be read.
   */
  keyOf(table: TableName, key: readonly string[] | null): Promise<SnapshotKey>
  /** Reads a piece, in a snapshot in which every change is visible that the session yielded before the call. */
  read(request: SnapshotRequest): Promise<SnapshotChunk>
  /** Whether a snapshot has what a transaction did that committed before the chunk's `until`. */
  visibility(state: string): (transaction: Transaction) => boolean
  /** For each of the keys, how many of the boundaries are smaller. */
  compareKeys(comparison: KeyComparison): Promise<readonly number[]>
  /** Every change up to here was yielded, and the next batch asked for; `null` where that is not known. */
  passed(): Position | null
  /**
   * No change up to here comes again, whatever becomes of the client: it was acknowledged, and the source has that. Sees to
   * it that it gets to the `until` of every chunk that was read, also where nobody writes. `null` where nothing is known.
   * Called with a durable subscription; left out: what is acknowledged does not come again.
   */
  settled?(): Promise<Position | null>
  /** Keeps a text with the durable subscription, in place of the one before. Called for these alone. */
  saveProgress(text: string): Promise<void>
}
