import { RowtapError } from '@rowtap/core'
import type { Condition, ConditionColumn } from '@rowtap/core/conditions'
import { valueKind } from '@rowtap/core/conditions'
import { readCondition } from './read-condition.ts'

/**
 * Parses a condition on one row, written as what follows WHERE.
 *
 * @param text SQL, with `$1`, `$2` and so on for the values.
 * @param values what `$1` and so on stand for. Each must be used.
 * @param columns the table's columns, each with `name` and `type`, where they are known: a constant may then be cast to
 *   its column's type. They are those that a driver's relation has (`@rowtap/core/driver`).
 * @throws RowtapError ERR_INVALID_OPTIONS: one sentence, the line of the text and a caret under the place. Its `cause`
 *   is the place as an `SqlTextPlace`.
 */
export async function parseCondition(
  text: string,
  values: readonly unknown[] = [],
  columns: readonly ConditionColumn[] | null = null,
): Promise<Condition> {
  if (typeof text !== 'string') throw notTaken('a text', text)
  if (!Array.isArray(values)) throw notTaken('a list of values for $1, $2 and so on', values)
  if (columns !== null && !Array.isArray(columns)) throw notTaken('a list of columns, each { name, type }', columns)
  return readCondition({ text, values, boundAt: null, columns })
}

/** For callers without types. */
function notTaken(what: string, given: unknown): RowtapError {
  return new RowtapError('ERR_INVALID_OPTIONS', {
    message: `parseCondition() takes ${what}, and not ${valueKind(given)}.`,
  })
}
