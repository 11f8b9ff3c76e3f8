import type { Condition, Constant } from '@rowtap/core/conditions'
import type { OperatorNode, SyntaxNode } from '../syntax/syntax-tree.ts'
import { namesOf } from '../syntax/syntax-tree.ts'
import { columnName } from './column-name.ts'
import { comparedPart, sidesOf } from './comparison.ts'
import { constantBeside } from './constant.ts'
import { checkNulls } from './null-constant.ts'
import type { Operand } from './operand.ts'
import { operandOf } from './operand.ts'
import type { ComparedColumn } from './placed.ts'
import { placed } from './placed.ts'
import type { Reading } from './reading.ts'
import { refusal } from './refusal.ts'

/** `column [NOT] IN (…)`. A list that is bound stands for its elements, of which there may be none. */
export function listCondition(node: OperatorNode, reading: Reading): Condition {
  const [left, right] = sidesOf(node, reading)
  const column = listColumn(left, node.location, reading)
  const items = right.List?.items
  if (items === undefined) throw refusal(right, reading)
  const operands = items.flatMap((item) => elements(operandOf(item, reading)))
  const isNegated = namesOf(node.name)[0] === '<>'
  checkNulls(operands, isNegated ? 'and' : 'or', isNegated ? 'neq' : 'eq', reading)
  return oneOf(column, operands, isNegated, reading)
}

/** The column on the left of a list, whose operator is at `at`. */
export function listColumn(left: SyntaxNode, at: number, reading: Reading): ComparedColumn {
  const column = columnName(left, reading)
  if (column !== null) return { ...column, operator: at }
  operandOf(left, reading)
  throw reading.source.error('A list is compared with a column, which belongs on its left.', left)
}

/** The column is one of these, or none of them. */
export function oneOf(
  column: ComparedColumn,
  operands: readonly Operand[],
  negated: boolean,
  reading: Reading,
): Condition {
  const constants: Constant[] = []
  for (const operand of operands) {
    const constant = constantBeside(column.name, operand, reading)
    if (typeof constant === 'boolean') {
      const operator = negated ? 'neq' : 'eq'
      const conditions = operands.map((one) => comparedPart(column, operator, one, reading))
      return { kind: negated ? 'and' : 'or', conditions }
    }
    constants.push(constant)
  }
  const nodes = operands.map(({ node }) => node)
  return placed({ kind: 'in', column: column.name, negated, constants }, column, nodes, reading)
}

/** The elements of a list that is bound; anything else is itself. */
export function elements(operand: Operand): readonly Operand[] {
  const { literal } = operand
  if (literal.kind !== 'bound' || !Array.isArray(literal.value)) return [operand]
  return literal.value.map((value: unknown, index): Operand => {
    return { ...operand, literal: { kind: 'bound', value, name: `${literal.name}[${index}]` } }
  })
}
