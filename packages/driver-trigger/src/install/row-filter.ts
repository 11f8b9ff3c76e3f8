import type { CaptureRequest, RequestedCondition } from '@rowtap/core/driver'
import type { ShapeContent } from '../catalog/shape.ts'
import { CAPTURE_VARIABLES } from '../sql/migration-0001/capture-statement-body.ts'

/** More conditions than this are not worth their cost for each row, which its writer pays. */
const MOST_CONDITIONS = 32

/**
 * PostgreSQL's own types whose comparison depends on no setting and cannot fail: bool, bytea, int8, int2, int4, text, oid,
 * float4, float8, bpchar, varchar, date, time, timestamp, timestamptz, numeric, uuid.
 */
const TYPES: ReadonlySet<number> = new Set([
  16, 17, 20, 21, 23, 25, 26, 700, 701, 1042, 1043, 1082, 1083, 1114, 1184, 1700, 2950,
])

/** Which rows of a table are wanted: those of which one of these conditions, as SQL, is true. `null`: all. */
export type Conditions = readonly string[] | null

/** The conditions of listeners, where the trigger can be trusted with each of them: a pattern (LIKE) may fail on a row. */
export function conditionsOf({ where }: Pick<CaptureRequest, 'where'>, { columns }: ShapeContent): Conditions {
  if (where === undefined || where === null || where.length > MOST_CONDITIONS) return null
  const plain = new Set(
    columns
      .filter(({ name, typeOid, virtual }) => !virtual && TYPES.has(typeOid) && !CAPTURE_VARIABLES.has(name))
      .map(({ name }) => name),
  )
  if (!where.every(({ tree }) => isPlain(tree, plain))) return null
  return [...new Set(where.map(({ sql }) => sql))].toSorted()
}

/** What is wanted by any of several. */
export function anyOf(wishes: readonly Conditions[]): Conditions {
  const all = new Set<string>()
  for (const wish of wishes) {
    if (wish === null) return null
    for (const condition of wish) all.add(condition)
  }
  return all.size > MOST_CONDITIONS ? null : [...all].toSorted()
}

/** The conditions as one expression; `null`: every row is wanted. */
export function filterText(conditions: Conditions): string | null {
  if (conditions === null) return null
  return conditions.length === 0 ? 'false' : conditions.map((condition) => `(${condition})`).join(' or ')
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
