import { isConditionSource } from '@rowtap/core/conditions'
import type { SyntaxNode, TypeNameNode } from '../syntax/syntax-tree.ts'
import { namesOf } from '../syntax/syntax-tree.ts'
import { columnName } from './column-name.ts'
import type { NumberLiteral } from './number-literal.ts'
import { negated, numberLiteral } from './number-literal.ts'
import type { Reading } from './reading.ts'
import { refusal } from './refusal.ts'

/** A constant as it is written. */
export type Literal =
  | NumberLiteral
  | { readonly kind: 'quoted'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'bound'; readonly value: unknown; readonly name: string }

/** One side of a comparison that is not the column. */
export interface Operand {
  readonly node: SyntaxNode
  readonly literal: Literal
  /** The type that it is cast to. */
  readonly cast: TypeNameNode | null
}

/**
 * The constant that a node is, with the cast around it.
 *
 * @throws RowtapError where it is anything else.
 */
export function operandOf(node: SyntaxNode, reading: Reading): Operand {
  const found = operandOrNull(node, reading)
  if (found !== null) return found
  // A qualified name has a sentence of its own.
  columnName(node, reading)
  throw refusal(node, reading)
}

/** The constant that a node is, or `null` where it is no constant. */
export function operandOrNull(node: SyntaxNode, reading: Reading): Operand | null {
  const literal = literalOf(node, reading)
  if (literal !== null) return { node, literal, cast: null }
  if (node.TypeCast !== undefined) {
    const { arg, typeName } = node.TypeCast
    const inner = literalOf(arg, reading)
    return inner === null ? null : { node, literal: inner, cast: typeName }
  }
  return signed(node, reading)
}

/** The value of `$n`. */
export function boundValue(node: SyntaxNode, reading: Reading): Extract<Literal, { readonly kind: 'bound' }> | null {
  if (node.ParamRef === undefined) return null
  const { number = 0, location } = node.ParamRef
  const name = `$${number}`
  if (number < 1 || number > reading.values.length) {
    const instead =
      reading.boundAt === null
        ? 'write the constant itself, or give the value (parseCondition(text, values))'
        : 'a value is bound with ${…}'
    throw reading.source.error(`There is no value for ${name}: ${instead}.`, node)
  }
  if (reading.boundAt !== null && !reading.boundAt.has(reading.source.offset(location))) {
    throw reading.source.error(`A value is bound with \${…}, and not by writing ${name}.`, node)
  }
  const value = reading.values[number - 1]
  if (isConditionSource(value)) {
    throw reading.source.error(`The value of ${name} is a condition, which cannot be bound: write one text.`, node)
  }
  reading.used.add(number - 1)
  return { kind: 'bound', value, name }
}

function literalOf(node: SyntaxNode, reading: Reading): Literal | null {
  if (node.A_Const === undefined) return boundValue(node, reading)
  const constant = node.A_Const
  if (constant.isnull === true) return { kind: 'null' }
  if (constant.boolval !== undefined) return { kind: 'boolean', value: constant.boolval.boolval ?? false }
  if (constant.bsval !== undefined) {
    throw reading.source.error(`Write a bit string as '101': it then takes the column's type.`, node)
  }
  return numberLiteral(constant, reading) ?? { kind: 'quoted', text: constant.sval?.sval ?? '' }
}

/** `+5`, and `-5::int`, which is a minus before a cast: the grammar makes operators of them. */
function signed(node: SyntaxNode, reading: Reading): Operand | null {
  const operator = node.A_Expr
  if (operator?.kind !== 'AEXPR_OP' || operator.lexpr !== undefined || operator.rexpr === undefined) return null
  const sign = namesOf(operator.name).join('.')
  if (sign !== '+' && sign !== '-') return null
  const operand = operandOrNull(operator.rexpr, reading)
  if (operand === null || operand.literal.kind !== 'number') return null
  return { node, literal: sign === '-' ? negated(operand.literal) : operand.literal, cast: operand.cast }
}
