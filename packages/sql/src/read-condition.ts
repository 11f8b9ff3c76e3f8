import type { Condition, ConditionColumn } from '@rowtap/core/conditions'
import { expressionCondition } from './condition/expression.ts'
import type { Reading } from './condition/reading.ts'
import { sqlTextError } from './sql-text-error.ts'
import { parsedText } from './syntax/parsed-text.ts'
import { postgresParser } from './syntax/postgres-parser.ts'

/** A text, and what belongs to it. */
export interface ConditionText {
  readonly text: string
  /** `$1` is the first. */
  readonly values: readonly unknown[]
  /** The indexes in the text at which values are bound; `null`: wherever `$1` is. */
  readonly boundAt: readonly number[] | null
  readonly columns: readonly ConditionColumn[] | null
}

/**
 * Reads a condition out of SQL text, and loads the parser if that was not done before.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS, pointing at the place.
 */
export async function readCondition({ text, values, boundAt, columns }: ConditionText): Promise<Condition> {
  const source = parsedText(await postgresParser(), text)
  const reading: Reading = {
    source,
    values,
    boundAt: boundAt === null ? null : new Set(boundAt),
    columns,
    used: new Set(),
  }
  const condition = expressionCondition(source.expression, reading)
  for (const index of values.keys()) {
    if (reading.used.has(index)) continue
    const at = boundAt?.[index] ?? Math.max(0, text.indexOf(`$${index + 1}`))
    throw sqlTextError(
      `The value of $${index + 1} is not used: inside quotes, names and comments nothing is bound.`,
      text,
      at,
    )
  }
  return condition
}
