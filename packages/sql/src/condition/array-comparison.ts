import type { ComparisonOperator, Condition } from '@rowtap/core/conditions'
import type { OperatorNode, SyntaxNode, TypeNameNode } from '../syntax/syntax-tree.ts'
import { isTextColumn } from './cast-constant.ts'
import { comparedPart, operatorOf, sidesOf } from './comparison.ts'
import { columnName } from './column-name.ts'
import { elements, listColumn, oneOf } from './list.ts'
import { checkNulls, comparedWithNull, isNull } from './null-constant.ts'
import type { NumberLiteral } from './number-literal.ts'
import type { Operand } from './operand.ts'
import { operandOf } from './operand.ts'
import type { Reading } from './reading.ts'

/** `column operator ANY (array)` (`quantifier` `'or'`) or ALL (`'and'`). */
export function arrayComparison(node: OperatorNode, quantifier: 'or' | 'and', reading: Reading): Condition {
  const operator = operatorOf(node, reading)
  const [left, right] = sidesOf(node, reading)
  if (columnName(left, reading) === null && columnName(right, reading) !== null) {
    throw reading.source.error(
      `A condition cannot ask what an array column holds: compare the whole array (= '{a,b}'), compare a generated column that holds the answer, or test that part in the handler.`,
      right,
    )
  }
  const column = listColumn(left, node.location, reading)
  const operands = arrayElements(column.name, right, reading)
  if (operands === null) throw comparedWithNull(operator, right, reading)
  checkNulls(operands, quantifier, operator, reading)
  if (isList(operator, quantifier)) {
    const list = oneOf(column, operands, quantifier === 'and', reading)
    // Numbers are compared one by one: IN would give some of them another type, beside a `real` for example.
    if (list.kind !== 'in' || list.constants.every(({ type }) => type === null || type === 'json')) return list
  }
  return { kind: quantifier, conditions: operands.map((operand) => comparedPart(column, operator, operand, reading)) }
}

function isList(operator: ComparisonOperator, quantifier: 'or' | 'and'): boolean {
  return operator === (quantifier === 'or' ? 'eq' : 'neq')
}

/** The elements of an array that is written out or bound; `null` for NULL. */
function arrayElements(column: string, node: SyntaxNode, reading: Reading): readonly Operand[] | null {
  const { array, elementCast } = uncast(node)
  if (array.A_ArrayExpr !== undefined) {
    return written(column, array, array.A_ArrayExpr.elements ?? [], elementCast, reading)
  }
  const { ColumnRef: isColumn } = array
  if (isColumn !== undefined) {
    throw reading.source.error('ANY and ALL take an array of constants here, not a column.', node)
  }
  const operand = operandOf(array, reading)
  if (operand.cast === null) {
    const { literal } = operand
    if (isNull(operand)) return null
    if (literal.kind === 'bound' && Array.isArray(literal.value)) {
      return elements({ ...operand, cast: elementCast })
    }
  }
  throw reading.source.error('ANY and ALL take ARRAY[…], or a list that is bound.', node)
}

function written(
  column: string,
  array: SyntaxNode,
  nodes: readonly SyntaxNode[],
  elementCast: TypeNameNode | null,
  reading: Reading,
): readonly Operand[] {
  const operands = nodes.map((node) => operandOf(node, reading))
  if (elementCast !== null) {
    for (const { node, cast } of operands) {
      if (cast !== null) throw reading.source.error('Write one cast, on the array or on its elements.', node)
    }
    return operands.map((operand) => ({ ...operand, cast: elementCast }))
  }
  if (operands.length === 0) {
    throw reading.source.error('PostgreSQL cannot tell the type of an empty array: bind an empty list.', array)
  }
  if (operands.some(({ literal, cast }) => literal.kind === 'number' && cast === null)) return widest(operands, reading)
  for (const { node, literal, cast } of operands) {
    // To PostgreSQL this is an array of text, and no operator compares that with a date, say.
    if (literal.kind === 'quoted' && cast === null && !isTextColumn(column, reading)) {
      throw reading.source.error(
        `ARRAY['…'] is an array of text to PostgreSQL, and the column is not known to be text: bind the list instead.`,
        node,
      )
    }
  }
  return operands
}

const WIDTHS: readonly NumberLiteral['type'][] = ['int4', 'int8', 'numeric', 'float8']

/** An array's numbers all have the type of the widest. */
function widest(operands: readonly Operand[], reading: Reading): readonly Operand[] {
  let width = 0
  for (const { node, literal, cast } of operands) {
    if (literal.kind === 'null') continue
    if (literal.kind !== 'number' || cast !== null) {
      throw reading.source.error('An array of numbers holds numbers only, without casts: write IN (…).', node)
    }
    width = Math.max(width, WIDTHS.indexOf(literal.type))
  }
  const type = WIDTHS[width] ?? 'numeric'
  return operands.map((operand) =>
    operand.literal.kind === 'number' ? { ...operand, literal: { ...operand.literal, type } } : operand,
  )
}

/** `array::type[]` in its two parts. */
function uncast(node: SyntaxNode): { readonly array: SyntaxNode; readonly elementCast: TypeNameNode | null } {
  const cast = node.TypeCast
  if (cast?.typeName.arrayBounds?.length !== 1) return { array: node, elementCast: null }
  const { arrayBounds: _, ...elementCast } = cast.typeName
  return { array: cast.arg, elementCast }
}
