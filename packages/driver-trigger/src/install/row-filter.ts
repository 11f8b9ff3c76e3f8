import type { CaptureRequest } from '@rowtap/core/driver'
import { comparedColumns, hasPattern, SAFE_TYPES } from '@rowtap/core/driver'
import type { ShapeContent } from '../catalog/shape.ts'
import { CAPTURE_VARIABLES } from '../sql/narrowed-capture/narrowed-statement-body.ts'
import type { PartCondition } from './captured-part.ts'
import { markOf, MOST_CONDITIONS } from './captured-part.ts'

/** Which rows of a table are wanted: those of which one of these conditions is true. `null`: all. */
export type Conditions = readonly PartCondition[] | null

/**
 * The conditions of listeners, where the trigger can be trusted with each of them: a pattern (LIKE) may fail on a row.
 *
 * @param kept what a subscription captured before, which is asked for again as one condition.
 */
export function conditionsOf(
  { where }: Pick<CaptureRequest, 'where'>,
  { columns }: ShapeContent,
  kept: Conditions = null,
): Conditions {
  if (where === undefined || where === null) return null
  const plain = new Map(
    columns
      .filter(({ name, typeOid, virtual }) => !virtual && SAFE_TYPES.has(typeOid) && !CAPTURE_VARIABLES.has(name))
      .map((column) => [column.name, column]),
  )
  const keptText = kept === null ? null : filterText(kept)
  const found = new Map<string, PartCondition>()
  for (const { tree, sql } of where) {
    if (kept !== null && sql === keptText) {
      for (const condition of kept) found.set(condition.sql, condition)
      continue
    }
    if (hasPattern(tree)) return null
    const its = [...new Set(comparedColumns(tree))].map((name) => plain.get(name))
    const known = its.flatMap((column) => (column === undefined ? [] : [markOf(column)]))
    if (known.length < its.length) return null
    found.set(sql, { sql, columns: known })
  }
  if (found.size > MOST_CONDITIONS) return null
  return [...found.values()].toSorted((one, other) => (one.sql < other.sql ? -1 : 1))
}

/** The conditions as one expression. */
export function filterText(conditions: readonly PartCondition[]): string {
  return conditions.length === 0 ? 'false' : conditions.map(({ sql }) => `(${sql})`).join(' or ')
}
