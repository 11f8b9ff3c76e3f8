import type { RequestedCondition } from '../contract/driver.ts'

/** A condition as a driver is asked for it. */
type Tree = RequestedCondition['tree']

/**
 * For drivers that have PostgreSQL test conditions where a failure would harm others: the object ids of its own types whose
 * comparison cannot fail and depends on no setting. They are bool, bytea, int8, int2, int4, text, oid, float4, float8, bpchar,
 * varchar, date, time, timestamp, timestamptz, numeric and uuid.
 */
export const SAFE_TYPES: ReadonlySet<number> = new Set([
  16, 17, 20, 21, 23, 25, 26, 700, 701, 1042, 1043, 1082, 1083, 1114, 1184, 1700, 2950,
])

/** For drivers: the columns that a condition compares, each as often as it does. */
export function comparedColumns(tree: Tree): readonly string[] {
  switch (tree.kind) {
    case 'and':
    case 'or':
      return tree.conditions.flatMap(comparedColumns)
    case 'not':
      return comparedColumns(tree.condition)
    case 'constant':
      return []
    default:
      return [tree.column]
  }
}

/** For drivers: whether a condition has a pattern (LIKE), which may fail on a row. */
export function hasPattern(tree: Tree): boolean {
  switch (tree.kind) {
    case 'and':
    case 'or':
      return tree.conditions.some(hasPattern)
    case 'not':
      return hasPattern(tree.condition)
    case 'compare':
      return tree.operator.endsWith('like')
    default:
      return false
  }
}
