import type { ComparisonOperator } from '@rowtap/core/conditions'
import type { SyntaxNode } from '../syntax/syntax-tree.ts'
import type { Operand } from './operand.ts'
import type { Reading } from './reading.ts'

/** Whether an operand is NULL, written or bound, of whatever type. */
export function isNull({ literal }: Pick<Operand, 'literal'>): boolean {
  return literal.kind === 'null' || (literal.kind === 'bound' && literal.value === null)
}

const INSTEAD: Readonly<Partial<Record<ComparisonOperator, string>>> = {
  eq: 'ask with IS NULL, or with IS NOT DISTINCT FROM, to which NULL is a value',
  neq: 'ask with IS NOT NULL, or with IS DISTINCT FROM, to which NULL is a value',
}

/** The error for a comparison that is NULL for each row, so that no row is ever wanted. */
export function comparedWithNull(operator: ComparisonOperator, at: SyntaxNode, reading: Reading): Error {
  return reading.source.error(
    `A comparison with NULL is true of no row: ${INSTEAD[operator] ?? 'leave it out, and ask for NULL with IS NULL'}.`,
    at,
  )
}

/**
 * Refuses a list of values of which none, or one of which, being NULL makes the whole true of no row. `quantifier`:
 * whether one of the comparisons has to be true (`'or'`), or all of them.
 */
export function checkNulls(
  operands: readonly Operand[],
  quantifier: 'or' | 'and',
  operator: ComparisonOperator,
  reading: Reading,
): void {
  const nulls = operands.filter(isNull)
  const [first] = nulls
  if (first === undefined) return
  if (nulls.length === operands.length) throw comparedWithNull(operator, first.node, reading)
  if (quantifier === 'or') return
  const what = operator === 'neq' ? 'NOT IN' : 'ALL'
  throw reading.source.error(
    `${what} with a NULL among its values is true of no row: leave NULL out, and ask for it with IS NULL or IS NOT NULL.`,
    first.node,
  )
}
