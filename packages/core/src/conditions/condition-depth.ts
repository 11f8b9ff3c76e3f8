import { invalidOptions } from '../options/check-option-names.ts'
import type { Condition } from './condition.ts'

/**
 * How many `and`, `or` and `not` may stand inside each other. A condition written by a person has a few; what reads it
 * would overflow its stack.
 */
export const DEEPEST_CONDITION = 200

/** How many `and`, `or` and `not` stand inside each other in a condition: 0 for a comparison by itself. */
export function conditionDepth(condition: Condition): number {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return 1 + condition.conditions.reduce((deepest, part) => Math.max(deepest, conditionDepth(part)), 0)
    case 'not':
      return 1 + conditionDepth(condition.condition)
    default:
      return 0
  }
}

/**
 * Refuses a part of a condition that is nested too deeply, or contains itself.
 *
 * @param levels how many `and`, `or` and `not` are around it
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function checkLevels(levels: number): void {
  if (levels <= DEEPEST_CONDITION) return
  throw invalidOptions(
    `'where' is nested more than ${DEEPEST_CONDITION} levels deep. Write it flatter, and see that it does not contain itself.`,
  )
}
