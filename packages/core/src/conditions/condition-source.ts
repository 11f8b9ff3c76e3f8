import type { ConditionColumn } from './column-type.ts'
import type { Condition } from './condition.ts'

/**
 * Something that becomes a condition when a listener is attached, such as SQL text that has to be parsed first.
 * Recognised by its shape, so that core knows none of the packages that make them.
 */
export interface ConditionSource {
  /**
   * The condition. May be called for several tables, and gives a new tree each time. What is found wrong with it when
   * the table is known points at the place, where `withPlaces` of `@rowtap/core/conditions` says it.
   *
   * @param columns the table's columns, where they are known: what depends on a column's type is then accepted.
   * @throws RowtapError ERR_INVALID_OPTIONS where it is not a condition.
   */
  toCondition(columns?: readonly ConditionColumn[]): Promise<Condition>
}

/** Whether a `where` is a {@link ConditionSource}: no condition of another form has a function as a member. */
export function isConditionSource(where: unknown): where is ConditionSource {
  return (
    typeof where === 'object' && where !== null && 'toCondition' in where && typeof where.toCondition === 'function'
  )
}
