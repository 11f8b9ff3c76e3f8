import type { Plan } from '@rowtap/core'
import { formatPlan } from '@rowtap/core'
import assert from 'node:assert/strict'

/**
 * What a plan leaves out: statements that only read, settings of the session's own, and what a session that takes long
 * to begin already does now and then, which is to update and delete what it keeps of itself.
 */
const LEFT_OUT = /^(?:select|with|show|values|set (?!local\b)|identify_system|timeline_history|update|delete)/iu

/**
 * Asserts that what was executed is the plan: every statement of it, in its order, and nothing else that does more than
 * to read. Several statements that are sent as one are a transaction, of which the plan has the beginning and the end.
 *
 * @param executed as a `StatementRecorder` takes it.
 */
export function assertExecutedAsPlanned(plan: Plan, executed: readonly string[]): void {
  const planned = plan.statements.map(({ sql }) => normal(sql))
  let next = 0
  for (const text of withoutUpkeep(executed.map(normal), planned)) {
    const found = consumed(text, planned.slice(next))
    if (found === 0) {
      assert.match(text, LEFT_OUT, `executed, but not planned at this place:\n${text}\n\n${formatPlan(plan)}`)
      continue
    }
    const isTransaction = /^begin/iu.test(planned[next] ?? '') && /^commit/iu.test(planned[next + found - 1] ?? '')
    assert.ok(
      found === 1 || isTransaction,
      `a transaction that the plan does not show:\n${text}\n\n${formatPlan(plan)}`,
    )
    next += found
  }
  assert.equal(planned[next], undefined, `planned, but not executed:\n${executed.join(';\n')}\n\n${formatPlan(plan)}`)
}

/** Without transactions that the plan knows nothing of, and in which nothing is done but what it leaves out. */
function withoutUpkeep(executed: readonly string[], planned: readonly string[]): readonly string[] {
  const kept: string[] = []
  for (let at = 0; at < executed.length; at += 1) {
    const end = /^begin$/iu.test(executed[at] ?? '')
      ? executed.findIndex((text, index) => index > at && /^commit$/iu.test(text))
      : -1
    const inside = executed.slice(at + 1, end)
    if (end > at && inside.every((text) => LEFT_OUT.test(text) && !planned.includes(text))) at = end
    else kept.push(executed[at] ?? '')
  }
  return kept
}

/** How many of the planned statements make up the text, from the first one on; 0 where they do not. */
function consumed(text: string, planned: readonly string[]): number {
  let rest = text
  for (const [index, statement] of planned.entries()) {
    const match = patternOf(statement).exec(rest)
    if (match === null) return 0
    rest = rest.slice(match[0].length).replace(/^;\s*/u, '')
    if (rest === '') return index + 1
  }
  return 0
}

/** What only the database can tell stands in a plan as `:name`. */
function patternOf(statement: string): RegExp {
  const parts = statement.split(/(?<![:\w]):[a-z_]+\b/u).map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/gu, '\\$&'))
  return new RegExp(`^${parts.join('\\S+?')}`, 'u')
}

/** Without what may differ: spaces, quotes around numbers, and what a driver draws at random for each client. */
function normal(sql: string): string {
  return sql
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/'(-?\d+)'/gu, '$1')
    .replaceAll(/[0-9a-f]{16,}/gu, '…')
    .replace(/[;\s]+$/u, '')
    .trim()
}
