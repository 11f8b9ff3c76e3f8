import type { NumberType } from '@rowtap/core/conditions'
import { locationOf } from '../syntax/parsed-text.ts'
import type { Token } from '../syntax/postgres-parser.ts'
import type { ConstantNode } from '../syntax/syntax-tree.ts'
import type { Reading } from './reading.ts'

/** A number as PostgreSQL's scanner types it. */
export interface NumberLiteral {
  readonly kind: 'number'
  readonly text: string
  readonly type: NumberType
}

/** A whole number: `integer` or `bigint`, whichever it fits into, or `numeric`. */
export function integerLiteral(value: bigint): NumberLiteral {
  return { kind: 'number', text: String(value), type: integerType(value) }
}

/** The number that a constant is, or `null` where it is none. */
export function numberLiteral(node: ConstantNode, reading: Reading): NumberLiteral | null {
  if (node.ival !== undefined) {
    const { ival } = node.ival
    return integerLiteral(ival === undefined ? -magnitudeAt(node.location, reading) : BigInt(ival))
  }
  const written = node.fval?.fval?.replaceAll('_', '')
  if (written === undefined) return null
  const negative = written.startsWith('-')
  const digits = negative ? written.slice(1) : written
  if (!/^(?:\d+|0[xob][\da-f]+)$/iu.test(digits)) return { kind: 'number', text: written, type: 'numeric' }
  return integerLiteral(negative ? -BigInt(digits) : BigInt(digits))
}

/** The number with the other sign. */
export function negated(number: NumberLiteral): NumberLiteral {
  const text = number.text.startsWith('-') ? number.text.slice(1) : `-${number.text}`
  return /^-?\d+$/u.test(text) && number.type !== 'float8' ? integerLiteral(BigInt(text)) : { ...number, text }
}

function integerType(value: bigint): NumberType {
  if (BigInt.asIntN(32, value) === value) return 'int4'
  return BigInt.asIntN(64, value) === value ? 'int8' : 'numeric'
}

/** libpg_query 16 prints no value for 0 and for negative numbers: it is the first number from that place on. */
function magnitudeAt(location: number, reading: Reading): bigint {
  const { tokens } = reading.source
  let at = firstFrom(location, tokens)
  while (tokens[at] !== undefined && tokens[at]?.token_kind !== 'ICONST') at++
  const token = tokens[at]
  if (token === undefined) throw reading.source.error('This number could not be read: write it in quotes.', location)
  return BigInt(token.text.replaceAll('_', ''))
}

function firstFrom(location: number, tokens: readonly Token[]): number {
  let low = 0
  let high = tokens.length
  while (low < high) {
    const middle = (low + high) >> 1
    const token = tokens[middle]
    if (token !== undefined && locationOf(token) < location) low = middle + 1
    else high = middle
  }
  return low
}
