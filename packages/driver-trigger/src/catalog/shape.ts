/** The columns and the key of a table as the database recorded them (see `sql/shape-content.ts`). */
export interface ShapeContent {
  readonly columns: readonly ShapeColumn[]
  /** The names of the primary key's columns, in the key's order. */
  readonly key: readonly string[]
}

/** One column. A row's text has a field for each, in the same order, except for those that are left out. */
export interface ShapeColumn {
  readonly name: string
  /** Its number in the table at the top; `null`: it was attached or detached meanwhile. */
  readonly number: number | null
  /** The type, domains resolved to their base type. */
  readonly typeOid: number
  readonly typeName: string
  /** Computed when read: the field is there, the value is not. */
  readonly virtual: boolean
  /** Whether a row's text has no field for it, because nobody wanted it. Not there: no. */
  readonly leftOut?: boolean
}

/** A shape that a queued row was written with. */
export interface Shape {
  /** The table or partition. */
  readonly relation: string
  /** The partitioned table at the top, or the table itself. */
  readonly root: string
  /** False: only the transaction that recorded it may refer to it. */
  readonly settled: boolean
  readonly content: ShapeContent
}
