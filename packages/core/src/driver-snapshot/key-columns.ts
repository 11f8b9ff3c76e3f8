import { quoteIdentifier } from '../contract/table-name.ts'

/** A column of the key that a table is read by, and the operators that sort it. */
export interface KeyColumn {
  readonly name: string
  readonly operatorSchema: string
  readonly less: string
  readonly notGreater: string
  readonly equal: string
  readonly greater: string
  /** `null`: its type has none. */
  readonly collationSchema: string | null
  readonly collation: string | null
}

type OperatorName = 'less' | 'notGreater' | 'equal' | 'greater'

/** A key's column with the two values that are compared, as SQL. */
export interface ComparedColumn {
  readonly column: KeyColumn
  readonly left: string
  readonly right: string
}

/** The condition that the left values come after the right ones in the order of the key. */
export function isAfter(columns: readonly ComparedColumn[]): string {
  return compare(columns, 'greater', 'greater')
}

/** The condition that the left values do not come after the right ones. */
export function isNotAfter(columns: readonly ComparedColumn[]): string {
  return compare(columns, 'less', 'notGreater')
}

/** The order of the key. */
export function keyOrder(columns: readonly KeyColumn[]): string {
  return columns.map(({ name }) => quoteIdentifier(name)).join(', ')
}

/**
 * PostgreSQL finds the place in an index for a comparison of rows. That has one operator's name for all columns, so for
 * others it is written out.
 */
function compare(columns: readonly ComparedColumn[], strict: OperatorName, last: OperatorName): string {
  const [first, ...rest] = columns
  if (first === undefined) return 'true'
  if (rest.length === 0) return comparison(first, last)
  if (columns.every(({ column }) => column.operatorSchema === 'pg_catalog' && column[last] === first.column[last])) {
    const left = columns.map((one) => one.left).join(', ')
    const right = columns.map((one) => one.right).join(', ')
    return `ROW(${left}) OPERATOR(pg_catalog.${first.column[last]}) ROW(${right})`
  }
  // The first part, which the second implies for all but equal values, is one that an index can be searched for.
  const bound = strict === 'less' ? comparison(first, 'notGreater') : `NOT ${comparison(first, 'less')}`
  return `(${bound} AND (${comparison(first, strict)} OR (${comparison(first, 'equal')} AND ${compare(rest, strict, last)})))`
}

function comparison({ column, left, right }: ComparedColumn, operator: OperatorName): string {
  return `(${left} OPERATOR(${quoteIdentifier(column.operatorSchema)}.${column[operator]}) ${right})`
}
