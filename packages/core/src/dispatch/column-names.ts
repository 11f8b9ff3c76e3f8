import type { Condition } from '../conditions/condition.ts'

/** The names of the columns that a condition names, some of them more than once. */
export function columnNames(condition: Condition): readonly string[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.conditions.flatMap(columnNames)
    case 'not':
      return columnNames(condition.condition)
    case 'constant':
      return []
    default:
      return [condition.column]
  }
}
