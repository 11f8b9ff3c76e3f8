import type { Condition, RangeCondition } from '@rowtap/core/conditions'
import type { OperatorNode, SyntaxNode } from '../syntax/syntax-tree.ts'
import { columnName } from './column-name.ts'
import { comparedPart, comparison, sidesOf } from './comparison.ts'
import { constantBeside } from './constant.ts'
import { comparedWithNull, isNull } from './null-constant.ts'
import { operandOf, operandOrNull } from './operand.ts'
import { placed } from './placed.ts'
import type { Reading } from './reading.ts'
import { refusal } from './refusal.ts'

/** `column [NOT] BETWEEN [SYMMETRIC] low AND high`, and `constant BETWEEN column AND column`. */
export function rangeCondition(node: OperatorNode, reading: Reading): Condition {
  const [value, bounds] = sidesOf(node, reading)
  const [low, high] = bounds.List?.items ?? []
  if (low === undefined || high === undefined) throw refusal(bounds, reading)
  const negated = isNegated(node.kind)
  checkBounds([low, high], node.kind, reading)
  const there = between(value, [low, high], node, reading)
  if (!node.kind.endsWith('_SYM')) return there
  const back = between(value, [high, low], node, reading)
  return { kind: negated ? 'and' : 'or', conditions: [there, back] }
}

function between(
  value: SyntaxNode,
  [low, high]: readonly [SyntaxNode, SyntaxNode],
  { kind, location: at }: OperatorNode,
  reading: Reading,
): Condition {
  const negated = isNegated(kind)
  const column = columnName(value, reading)
  if (column !== null && operandOrNull(low, reading) !== null && operandOrNull(high, reading) !== null) {
    const { name } = column
    const lowest = constantBeside(name, operandOf(low, reading), reading)
    const highest = constantBeside(name, operandOf(high, reading), reading)
    if (typeof lowest !== 'boolean' && typeof highest !== 'boolean') {
      const range: RangeCondition = { kind: 'between', column: name, negated, low: lowest, high: highest }
      return placed(range, { ...column, operator: at }, [low, high], reading)
    }
  }
  const constant = column === null ? operandOrNull(value, reading) : null
  if (constant !== null && isNull(constant)) throw comparedWithNull('gte', value, reading)
  // What BETWEEN means, in the standard and in PostgreSQL.
  const conditions = negated
    ? [
        comparison([value, low], 'lt', at, reading, comparedPart),
        comparison([value, high], 'gt', at, reading, comparedPart),
      ]
    : [comparison([value, low], 'gte', at, reading), comparison([value, high], 'lte', at, reading)]
  return { kind: negated ? 'or' : 'and', conditions }
}

/** A range with a NULL for a bound has no row in it, but rows may be outside of the other bound. */
function checkBounds(bounds: readonly SyntaxNode[], kind: string, reading: Reading): void {
  const nulls = bounds.filter((node) => isNullNode(node, reading))
  const [first] = nulls
  if (first === undefined || (kind === 'AEXPR_NOT_BETWEEN' && nulls.length < bounds.length)) return
  throw comparedWithNull('gte', first, reading)
}

function isNullNode(node: SyntaxNode, reading: Reading): boolean {
  const operand = operandOrNull(node, reading)
  return operand !== null && isNull(operand)
}

function isNegated(kind: string): boolean {
  return kind.startsWith('AEXPR_NOT_')
}
