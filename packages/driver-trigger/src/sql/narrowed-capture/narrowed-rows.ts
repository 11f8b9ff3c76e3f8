import { quoteIdentifier } from '@rowtap/core/driver'
import { sql } from '../sql.ts'
import type { Sql } from '../sql.ts'

/** The alias of a row before or after a change, in a query on a transition table. */
export type RowAlias = 'o' | 'n'

/** Parts of queries on transition tables. */
export interface NarrowedRows {
  /** Whether somebody wants a row: for a query on one table, in which its columns need no name of a row. */
  readonly isWanted: Sql
  /** A row's text. */
  text(row: RowAlias): Sql
  /** The same, null where nobody wants the row. */
  wantedText(row: RowAlias): Sql
  /** What is printed of a row, not printed yet. */
  image(row: RowAlias): Sql
}

/** A row's columns that are printed. */
export function listedColumns(columns: readonly string[], row: RowAlias): string {
  return columns.map((name) => `${row}.${quoteIdentifier(name)}`).join(', ')
}

/**
 * How rows are read of which a part is captured.
 *
 * @param isNarrowed whether the part can be told; otherwise rows are whole, and all of them are wanted.
 */
export function narrowedRows(
  { expression, columns }: { readonly expression: string | null; readonly columns: readonly string[] | null },
  isNarrowed: Sql,
): NarrowedRows {
  const listed = (row: RowAlias): Sql => sql`row(${() => listedColumns(columns ?? [], row)})`
  const text = (row: RowAlias): Sql => {
    const whole: Sql = sql`textin(record_out(${() => row}.*))`
    return columns === null
      ? whole
      : sql`case when ${isNarrowed} then textin(record_out(${listed(row)})) else ${whole} end`
  }
  const isWanted: Sql = sql`case when ${isNarrowed} then (${() => expression ?? 'true'}) is true else true end`
  return {
    isWanted,
    text,
    wantedText: (row) => (expression === null ? text(row) : sql`case when ${isWanted} then ${text(row)} end`),
    // (Within an expression a name with ".*" is the row, whatever the table's columns are called.)
    image: (row) =>
      columns === null
        ? sql`case when true then ${() => row}.* end`
        : sql`case when ${isNarrowed} then ${listed(row)} else ${() => row}.* end`,
  }
}
