import { quoteIdentifier } from '@rowtap/core'
import type { ColumnType, Constant, NumberType } from '@rowtap/core/conditions'
import type { TypeNameNode } from '../syntax/syntax-tree.ts'
import { namesOf } from '../syntax/syntax-tree.ts'
import { boundConstant } from './bound-constant.ts'
import type { Operand } from './operand.ts'
import type { Reading } from './reading.ts'

/** A smallint is compared with anything as an integer is. */
const NUMBER_TYPES: ReadonlyMap<string, NumberType> = new Map([
  ['int2', 'int4'],
  ['int4', 'int4'],
  ['int8', 'int8'],
  ['numeric', 'numeric'],
  ['float8', 'float8'],
])

const INTEGER_BITS: ReadonlyMap<string, number> = new Map([
  ['int2', 16],
  ['int4', 32],
  ['int8', 64],
])

const NUMBER = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf(?:inity)?)$/iu

/**
 * A constant with a cast. Honoured are casts to the types of numbers, which a condition's constants can have, and the
 * cast of a quoted constant to the very type of the column, which it has anyway.
 *
 * @throws RowtapError for every other cast: it would change what is compared.
 */
export function castConstant(column: string, operand: Operand, cast: TypeNameNode, reading: Reading): Constant {
  const names = namesOf(cast.names)
  const displayed = names.filter((name, at) => at > 0 || names.length === 1 || name !== 'pg_catalog').join('.')
  const refuse = (why: string): Error =>
    reading.source.error(`The cast to ${displayed} cannot be honoured: ${why}`, cast.location)
  if (cast.typmods !== undefined) throw refuse('a length or precision would change the value. Write the value itself.')
  if (cast.setof === true || cast.pct_type === true || cast.arrayBounds !== undefined || names.length > 2) {
    throw refuse('leave it out, and a quoted constant takes the type of the column.')
  }
  const name = names.at(-1) ?? ''
  const schema = names.length === 2 ? names[0] : undefined
  const numberType = schema === undefined || schema === 'pg_catalog' ? NUMBER_TYPES.get(name) : undefined
  if (numberType !== undefined) {
    const text = numberText(name, operand, reading)
    if (text === undefined) throw refuse('the value is not written as one of that type.')
    return { text, type: numberType }
  }
  return ofColumnType(column, operand, { schema, name }, reading, refuse)
}

/** Whether the column is known to be text or varchar, between which PostgreSQL makes no difference. */
export function isTextColumn(column: string, reading: Reading): boolean {
  const type = reading.columns?.find((known) => known.name === column)?.type
  return type?.kind === 'base' && isText(type.name)
}

function numberText(name: string, operand: Operand, reading: Reading): string | null | undefined {
  const written = writtenText(operand, reading)
  if (written === null) return null
  const text = written?.trim() ?? ''
  const bits = INTEGER_BITS.get(name)
  if (bits === undefined) return NUMBER.test(text) ? text : undefined
  if (!/^[+-]?\d+$/u.test(text)) return undefined
  const value = BigInt(text.replace('+', ''))
  return BigInt.asIntN(bits, value) === value ? String(value) : undefined
}

/** The text that PostgreSQL would give to the type's input function; `undefined`: there is none. */
function writtenText(operand: Operand, reading: Reading): string | null | undefined {
  const { literal } = operand
  switch (literal.kind) {
    case 'number':
    case 'quoted':
      return literal.text
    case 'null':
      return null
    case 'boolean':
      return undefined
    case 'bound': {
      const { text, type } = boundConstant(literal.value, literal.name, operand.node, reading)
      return type === null ? text : undefined
    }
  }
}

interface CastName {
  readonly schema: string | undefined
  readonly name: string
}

function ofColumnType(
  column: string,
  operand: Operand,
  cast: CastName,
  reading: Reading,
  refuse: (why: string) => Error,
): Constant {
  if (reading.columns === null) {
    throw refuse(
      'the types of the columns are not known here. Leave it out: a quoted constant takes the column’s type.',
    )
  }
  const type = reading.columns.find((known) => known.name === column)?.type
  if (type === undefined) throw refuse(`the table has no column ${JSON.stringify(column)}.`)
  if (!isSameType(type, cast)) {
    throw refuse(
      `the column ${JSON.stringify(column)} is of the type ${type.displayName}. Leave it out: a quoted constant takes the column’s type.`,
    )
  }
  if (operand.literal.kind === 'number') throw refuse('write the constant in quotes.')
  const text = writtenText(operand, reading)
  if (text === undefined) throw refuse('write the constant in quotes, without a cast.')
  return { text, type: null }
}

function isSameType(type: ColumnType, { schema, name }: CastName): boolean {
  const builtIn = schema === undefined || schema === 'pg_catalog'
  if (type.kind === 'base' && builtIn) {
    if (isText(type.name)) return isText(name)
    // Beside a cidr PostgreSQL reads a quoted constant as inet, which is written in another way.
    if (type.name === 'cidr') return false
  }
  const last = quoteIdentifier(name)
  return schema === undefined
    ? type.castName.endsWith(`.${last}`)
    : type.castName === `${quoteIdentifier(schema)}.${last}`
}

function isText(name: string): boolean {
  return name === 'text' || name === 'varchar'
}
