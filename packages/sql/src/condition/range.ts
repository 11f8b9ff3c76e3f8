import type { Condition, RangeCondition } from '@rowtap/core/conditions'
import type { OperatorNode, SyntaxNode } from '../syntax/syntax-tree.ts'
import { columnName } from './column-name.ts'
import { comparison, sidesOf } from './comparison.ts'
import { constantBeside } from './constant.ts'
import { operandOf, operandOrNull } from './operand.ts'
import type { Reading } from './reading.ts'
import { refusal } from './refusal.ts'

/** `column [NOT] BETWEEN [SYMMETRIC] low AND high`, and `constant BETWEEN column AND column`. */
export function rangeCondition(node: OperatorNode, reading: Reading): Condition {
  const [value, bounds] = sidesOf(node, reading)
  const [low, high] = bounds.List?.items ?? []
  if (low === undefined || high === undefined) throw refusal(bounds, reading)
  const negated = node.kind.startsWith('AEXPR_NOT_')
  const there = between(value, low, high, negated, reading)
  if (!node.kind.endsWith('_SYM')) return there
  const back = between(value, high, low, negated, reading)
  return { kind: negated ? 'and' : 'or', conditions: [there, back] }
}

function between(value: SyntaxNode, low: SyntaxNode, high: SyntaxNode, negated: boolean, reading: Reading): Condition {
  const column = columnName(value, reading)
  if (column !== null && operandOrNull(low, reading) !== null && operandOrNull(high, reading) !== null) {
    const lowest = constantBeside(column, operandOf(low, reading), reading)
    const highest = constantBeside(column, operandOf(high, reading), reading)
    if (typeof lowest !== 'boolean' && typeof highest !== 'boolean') {
      return { kind: 'between', column, negated, low: lowest, high: highest } satisfies RangeCondition
    }
  }
  // What BETWEEN means, in the standard and in PostgreSQL.
  const conditions = negated
    ? [comparison([value, low], 'lt', reading), comparison([value, high], 'gt', reading)]
    : [comparison([value, low], 'gte', reading), comparison([value, high], 'lte', reading)]
  return { kind: negated ? 'or' : 'and', conditions }
}
