import type { ConditionColumn } from '../conditions/column-type.ts'
import type { TableName } from './table-name.ts'

/**
 * One column of a {@link Relation}. Its `name` and `type` are those that `columnTypes` makes of `COLUMN_TYPES_SQL`, read
 * when the change was committed or later: `ColumnTypeBook` keeps them.
 */
export interface RelationColumn extends ConditionColumn {
  /**
   * The column's number in its table (`attnum`), of a partition's column that of the table at the top: what tells it from
   * another one that was given its name. Left out: it is not known, and columns are told apart by name alone.
   */
  readonly number?: number
  /**
   * Whether an update may come without the column's value where it left that alone: a large (TOASTed) value is not
   * sent again by logical decoding. That is any type whose values may be too large to stay within the row. `false`:
   * every new row has it.
   */
  readonly mayBeUnavailable: boolean
  /**
   * Why no change ever holds the column, and what to do instead, as sentences for a message: a listener that names it is
   * refused with them. In rows it is absent, and named as unavailable. `null`: changes hold it.
   */
  readonly neverSent: string | null
  /**
   * Whether rows of this shape come without the column because nobody wanted it when they were written. Such a row is
   * passed over by a listener whose condition needs the column: where that is a loss, the driver tells of it. Left out: no.
   */
  readonly leftOut?: boolean
  /** The type's object id, domains resolved to their base type, as `pg` sees it in a query's result. */
  readonly typeOid: number
  /** The type's name for messages: `numeric(10,2)`. */
  readonly typeName: string
  /** Turns the text of PostgreSQL's output function into the value that `pg` would return. Never called for NULL. */
  readonly parse: (text: string) => unknown
  /**
   * The same of a part of a text, between two offsets, of which it keeps nothing: for a driver whose own `Tuple.value` has
   * many rows in one text. Core does not call it. Left out: the value may be, or hold, the text itself.
   */
  readonly parsePart?: (text: string, start: number, end: number) => unknown
}

/**
 * The shape of a table at one point of the stream.
 *
 * A driver makes one object for each shape and hands out that same object with each change of that
 * shape: core compiles what it needs for a relation once, and finds it again by identity. A type that is altered in place
 * (another collation, labels added to an enumeration) makes another shape.
 */
export interface Relation extends TableName {
  readonly columns: readonly RelationColumn[]
  /** Indexes into `columns` of the primary key, in the key's order. Empty: the table has none. */
  readonly primaryKey: readonly number[]
  /** Which columns the old row of an update or delete has. An update may come without an old row where none of these changed. */
  readonly oldColumns: 'all' | readonly number[]
  /** The statement that would make `oldColumns` `'all'`, where there is one. Shown to the user, never run unasked. */
  readonly oldRowsStatement: string | null
}

/**
 * One version of a row as the driver received it, not yet decoded.
 *
 * Core reads the columns that it needs, in any order, any number of times and long after it was given the row, and
 * decodes only those. Texts are printed under `CANONICAL_SETTINGS`, whatever the writer's settings were: conditions
 * compare them.
 */
export interface Tuple {
  /**
   * The value of the column at `index` (into the relation's `columns`) as the type's output function prints it;
   * `null` is SQL NULL, `undefined` means that the database did not send it.
   */
  text(index: number): string | null | undefined
  /**
   * The value of the column at `index`, which is described by `column`, as `column.parse` makes it of its text; `null` and
   * `undefined` as with `text`. For a driver that has a quicker way from what it received; left out: core parses the text.
   */
  value?(index: number, column: RelationColumn): unknown
  /**
   * Whether both rows, which are of the same change, have the column at `index`, and not with the same text. For a driver
   * that can compare what it received without making texts of it; left out: core compares the texts.
   */
  differs?(index: number, other: Tuple): boolean
}
