import { RowtapError } from '@rowtap/core'
import type { ConditionSource } from '@rowtap/core/conditions'
import { readCondition } from './read-condition.ts'

/** A condition as SQL text, which is parsed when a listener is attached. */
export interface SqlCondition extends ConditionSource {
  /** The text, with `$1` where the first value was. */
  readonly text: string
  /** What is bound. Never part of the text. */
  readonly values: readonly unknown[]
}

/**
 * A condition on one row, written as what follows WHERE: `` sql`status = ${status} AND total >= 100` ``.
 *
 * A value in `${…}` is a constant of the type of the column beside it, whatever it contains; a list in
 * `IN (${list})` or `= ANY(${list})` stands for its elements. A backslash is a backslash, as in SQL.
 *
 * Nothing is parsed yet: a text that is not a condition is refused when the listener is attached.
 */
export function sql(strings: TemplateStringsArray, ...values: readonly unknown[]): SqlCondition {
  if (!isTemplate(strings)) {
    throw new RowtapError('ERR_INVALID_OPTIONS', {
      message: 'sql is a tag for a template: write sql`…` without parentheses, or parseCondition(text) for a string.',
    })
  }
  const boundAt: number[] = []
  let text = ''
  for (const [index, part] of strings.raw.entries()) {
    if (index > 0) {
      boundAt.push(text.length)
      text += `$${index}`
    }
    text += unescaped(part)
  }
  return Object.freeze<SqlCondition>({
    text,
    values: Object.freeze([...values]),
    toCondition: (columns) => readCondition({ text, values, boundAt, columns: columns ?? null }),
  })
}

/** What a template cannot hold as it is: a backquote, and a dollar sign before a brace. */
function unescaped(raw: string): string {
  return raw.replaceAll(/\\(`|\$\{)/gu, '$1')
}

function isTemplate(strings: unknown): boolean {
  return Array.isArray(strings) && 'raw' in strings && Array.isArray(strings.raw)
}
