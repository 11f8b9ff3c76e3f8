import type { ComparisonOperator, Condition } from '@rowtap/core/conditions'
import type { OperatorNode, SyntaxNode } from '../syntax/syntax-tree.ts'
import { namesOf } from '../syntax/syntax-tree.ts'
import { booleanComparison } from './boolean-comparison.ts'
import { columnName } from './column-name.ts'
import { constantBeside } from './constant.ts'
import { comparedWithNull, isNull } from './null-constant.ts'
import type { Operand } from './operand.ts'
import { operandOf } from './operand.ts'
import type { ComparedColumn } from './placed.ts'
import { placed } from './placed.ts'
import type { Reading } from './reading.ts'
import { operatorRefusal } from './refusal.ts'

const OPERATORS: ReadonlyMap<string, ComparisonOperator> = new Map([
  ['=', 'eq'],
  ['<>', 'neq'],
  ['<', 'lt'],
  ['<=', 'lte'],
  ['>', 'gt'],
  ['>=', 'gte'],
  ['~~', 'like'],
  ['!~~', 'not like'],
  ['~~*', 'ilike'],
  ['!~~*', 'not ilike'],
])

/** With the sides exchanged. LIKE and the others have their pattern on the right. */
const FLIPPED: Readonly<Record<ComparisonOperator, ComparisonOperator | null>> = {
  eq: 'eq',
  neq: 'neq',
  lt: 'gt',
  lte: 'gte',
  gt: 'lt',
  gte: 'lte',
  like: null,
  'not like': null,
  ilike: null,
  'not ilike': null,
  'is distinct from': 'is distinct from',
  'is not distinct from': 'is not distinct from',
}

/** The comparison that an operator's node asks for. */
export function operatorOf(node: OperatorNode, reading: Reading): ComparisonOperator {
  const names = namesOf(node.name)
  const operator = names.length === 1 ? OPERATORS.get(names[0] ?? '') : undefined
  if (operator === undefined) throw operatorRefusal(node, reading)
  return operator
}

/** The two sides of an operator. */
export function sidesOf(node: OperatorNode, reading: Reading): readonly [left: SyntaxNode, right: SyntaxNode] {
  if (node.lexpr === undefined || node.rexpr === undefined) throw operatorRefusal(node, reading)
  return [node.lexpr, node.rexpr]
}

/**
 * A comparison of a column with a constant, whichever of the two is on the left. The operator is at `at`.
 *
 * @param compare makes it of its parts: {@link comparedPart} where it may be NULL.
 */
export function comparison(
  [left, right]: readonly [SyntaxNode, SyntaxNode],
  operator: ComparisonOperator,
  at: number,
  reading: Reading,
  compare: typeof compareWith = compareWith,
): Condition {
  const column = columnName(left, reading)
  if (column !== null) {
    if (columnName(right, reading) !== null) {
      throw reading.source.error(
        `A condition compares a column with a constant, not with another column: write a text in 'single quotes'.`,
        right,
      )
    }
    return compare({ ...column, operator: at }, operator, operandOf(right, reading), reading)
  }
  const operand = operandOf(left, reading)
  const other = columnName(right, reading)
  if (other === null) {
    operandOf(right, reading)
    throw reading.source.error('This compares two constants: a condition names a column, or is TRUE or FALSE.', left)
  }
  const flipped = FLIPPED[operator]
  if (flipped === null)
    throw reading.source.error('The column belongs on the left of LIKE, the pattern on the right.', right)
  return compare({ ...other, operator: at }, flipped, operand, reading)
}

/**
 * `column operator operand`.
 *
 * @throws RowtapError where the operand is NULL, which makes it true of no row.
 */
export function compareWith(
  column: ComparedColumn,
  operator: ComparisonOperator,
  operand: Operand,
  reading: Reading,
): Condition {
  if (isNull(operand) && operator !== 'is distinct from' && operator !== 'is not distinct from') {
    throw comparedWithNull(operator, operand.node, reading)
  }
  return comparedPart(column, operator, operand, reading)
}

/** The same as a part of something that may be true where this part is NULL. */
export function comparedPart(
  column: ComparedColumn,
  operator: ComparisonOperator,
  operand: Operand,
  reading: Reading,
): Condition {
  const { name } = column
  if (operator === 'is distinct from' || operator === 'is not distinct from') {
    // As PostgreSQL's own parser does it for the word NULL.
    if (operand.literal.kind === 'null' && operand.cast === null) {
      return placed({ kind: 'null', column: name, negated: operator === 'is distinct from' }, column, [], reading)
    }
  }
  const constant = constantBeside(name, operand, reading)
  if (typeof constant !== 'boolean') {
    if (isPatternOperator(operator) && constant.type !== null && constant.text !== null) {
      throw reading.source.error('A pattern is a text: write it in quotes.', operand.node)
    }
    return placed({ kind: 'compare', column: name, operator, constant }, column, [operand.node], reading)
  }
  const condition = booleanComparison(
    (test) => placed({ kind: 'boolean', column: name, test }, column, [], reading),
    operator,
    constant,
  )
  if (condition === null) throw reading.source.error('A pattern is a text: write it in quotes.', operand.node)
  return condition
}

function isPatternOperator(operator: ComparisonOperator): boolean {
  return FLIPPED[operator] === null
}
