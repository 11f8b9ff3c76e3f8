import type { CaptureRequest, RequestedCondition } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'

/** More conditions than this are not worth their cost for each row, in the server's one process that decodes. */
const MOST_CONDITIONS = 32

/**
 * PostgreSQL's own types whose comparison needs no function that may fail, or depends on a setting: bool, bytea, int8,
 * int2, int4, text, oid, float4, float8, bpchar, varchar, date, time, timestamp, timestamptz, numeric, uuid.
 */
const TYPES: ReadonlySet<number> = new Set([
  16, 17, 20, 21, 23, 25, 26, 700, 701, 1042, 1043, 1082, 1083, 1114, 1184, 1700, 2950,
])

/** Which rows of a table leave the server: those of which one of these conditions, as SQL, is true. `null`: all. */
export type RowFilter = readonly string[] | null

/**
 * The filter for the rows that listeners want, where the server can be trusted with each of their conditions. A pattern
 * (LIKE) may fail on a row, and would end the stream.
 */
export function rowFilter({ where }: CaptureRequest, facts: TableFacts): RowFilter {
  if (where === undefined || where === null || where.length > MOST_CONDITIONS) return null
  const plain = new Set(
    facts.columns
      .filter(({ typeOid, baseTypeOid, isSent }) => isSent && typeOid === baseTypeOid && TYPES.has(typeOid))
      .map(({ name }) => name),
  )
  if (!where.every(({ tree }) => isPlain(tree, plain))) return null
  return where.map(({ sql }) => sql).toSorted()
}

/** Whether every row that passes the one filter passes the other, too. */
export function isWithin(inner: RowFilter, outer: RowFilter): boolean {
  if (outer === null) return true
  return inner !== null && inner.every((condition) => outer.includes(condition))
}

/** The filter as the text of one expression; `null`: there is none. */
export function filterText(filter: RowFilter): string | null {
  return filter === null ? null : filter.map((condition) => `(${condition})`).join(' OR ')
}

function isPlain(tree: RequestedCondition['tree'], columns: ReadonlySet<string>): boolean {
  switch (tree.kind) {
    case 'and':
    case 'or':
      return tree.conditions.every((condition) => isPlain(condition, columns))
    case 'not':
      return isPlain(tree.condition, columns)
    case 'constant':
      return true
    case 'compare':
      return columns.has(tree.column) && !tree.operator.endsWith('like')
    default:
      return columns.has(tree.column)
  }
}
