import type { RowFilter } from './row-filter.ts'

/** Which part of a table's inserts leaves the server. */
export interface PublishedPart {
  /** `null`: every row. */
  readonly rows: RowFilter | null
  /** By name, in the table's order; `null`: every column, those that the table is given later included. */
  readonly columns: readonly string[] | null
}

/** All of a table. */
export const WHOLE: PublishedPart = { rows: null, columns: null }

/** Whether one part holds nothing that the other does not. */
export function isWithin(inner: PublishedPart, outer: PublishedPart): boolean {
  return rowsAreWithin(inner.rows, outer.rows) && columnsAreWithin(inner.columns, outer.columns)
}

/** Whether every row that passes the one filter passes the other, as far as that can be told. */
function rowsAreWithin(inner: RowFilter | null, outer: RowFilter | null): boolean {
  if (outer === null) return true
  if (inner === null) return false
  if (inner.text === outer.text) return true
  return inner.marks.length > 0 && inner.marks.every((mark) => outer.marks.includes(mark))
}

function columnsAreWithin(inner: readonly string[] | null, outer: readonly string[] | null): boolean {
  return outer === null || (inner?.every((column) => outer.includes(column)) ?? false)
}
