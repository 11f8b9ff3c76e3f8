import type { Condition, ConditionColumn } from '@rowtap/core/conditions'
import { readCondition } from './read-condition.ts'

/**
 * Parses a condition on one row, written as what follows WHERE.
 *
 * @param text SQL, with `$1`, `$2` and so on for the values.
 * @param values what `$1` and so on stand for. Each must be used.
 * @param columns the table's columns, where they are known: a constant may then be cast to its column's type.
 * @throws RowtapError ERR_INVALID_OPTIONS: one sentence, the line of the text and a caret under the place. Its `cause`
 *   is the place as an `SqlTextPlace`.
 */
export function parseCondition(
  text: string,
  values: readonly unknown[] = [],
  columns: readonly ConditionColumn[] | null = null,
): Promise<Condition> {
  return readCondition({ text, values, boundAt: null, columns })
}
