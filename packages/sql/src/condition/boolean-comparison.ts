import type { BooleanCondition, ComparisonOperator, Condition } from '@rowtap/core/conditions'

/**
 * `column operator TRUE` or FALSE by what it says of the column itself, so that only a boolean column is accepted, as
 * PostgreSQL does it: TRUE is no text. `null`: the operator is not one of booleans.
 *
 * @param tested makes the condition that is one test of the column
 */
export function booleanComparison(
  tested: (test: BooleanCondition['test']) => BooleanCondition,
  operator: ComparisonOperator,
  value: boolean,
): Condition | null {
  const is: Condition = tested('value')
  const isNot: Condition = { kind: 'not', condition: is }
  // Both are NULL where the column is.
  const always: Condition = { kind: 'or', conditions: [is, isNot] }
  const never: Condition = { kind: 'and', conditions: [is, isNot] }
  switch (operator) {
    case 'eq':
      return value ? is : isNot
    case 'neq':
      return value ? isNot : is
    case 'lt':
      return value ? isNot : never
    case 'lte':
      return value ? always : isNot
    case 'gt':
      return value ? never : is
    case 'gte':
      return value ? is : always
    case 'is distinct from':
      return tested(value ? 'is not true' : 'is not false')
    case 'is not distinct from':
      return tested(value ? 'is true' : 'is false')
    default:
      return null
  }
}
