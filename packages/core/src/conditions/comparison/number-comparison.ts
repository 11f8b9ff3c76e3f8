import type { Comparison } from './comparison.ts'
import { keyComparison, sameText } from './comparison.ts'
import { compareDecimals } from './compare-decimals.ts'

/** int2, int4, oid: numbers that a double holds exactly. */
export const smallIntegerComparison: Comparison = keyComparison(sameText, (constant) => {
  const number = Number(constant)
  return (text) => Number(text) - number
})

/** int8 and xid8. */
export const integerComparison: Comparison = keyComparison(sameText, decimalOrder)

/** numeric, and whole numbers beside a numeric. */
export const decimalComparison: Comparison = keyComparison(decimalKey, decimalOrder)

/** float8 with float8, and float4 with float4: the shortest texts of different numbers are in the numbers' order. */
export const floatComparison: Comparison = {
  key: (text) => (text === '-0' ? '0' : text),
  equalTo(constant) {
    if (constant === '0' || constant === '-0') return (text) => text === '0' || text === '-0'
    return (text) => text === constant
  },
  compareTo(constant) {
    const number = Number(constant)
    return (text) => compareFloats(Number(text), number)
  },
}

/** A whole number, compared as float8: a large int8 is rounded first. */
export const integerAsFloatComparison: Comparison = asFloat(Number)

/** A float4, compared as float8: the text says less than the number holds. */
export const singleAsFloatComparison: Comparison = asFloat(singlePrecision)

/** numeric's texts without the zeros that make no difference: `1.50` and `1.5`, `2.00` and `2`. */
export function decimalKey(text: string): string {
  if (!text.includes('.')) return text
  let end = text.length
  while (text.charCodeAt(end - 1) === 48) end--
  if (text.charCodeAt(end - 1) === 46) end--
  return end === text.length ? text : text.slice(0, end)
}

/** The float4 that a text stands for, as the double of the same value. */
export function singlePrecision(text: string): number {
  const double = Number(text)
  const single = Math.fround(double)
  if (single === double || !Number.isFinite(single)) return single
  const other = 2 * double - single
  if (Math.fround(other) !== other) return single
  // The double lies exactly between two float4: the text may have been to the other side of the middle, and been
  // rounded to it. The text is read once, not twice, by PostgreSQL.
  const side = compareDecimals(plainDecimal(text), exactDecimal(double))
  if (side === 0) return single
  return side < 0 ? Math.min(single, other) : Math.max(single, other)
}

function decimalOrder(constant: string): (text: string) => number {
  return (text) => compareDecimals(text, constant)
}

function asFloat(read: (text: string) => number): Comparison {
  return {
    key: null,
    equalTo(constant) {
      const number = Number(constant)
      if (Number.isNaN(number)) return (text) => Number.isNaN(read(text))
      return (text) => read(text) === number
    },
    compareTo(constant) {
      const number = Number(constant)
      return (text) => compareFloats(read(text), number)
    },
  }
}

/** NaN equals NaN, and is greater than every other number. */
function compareFloats(left: number, right: number): number {
  if (left < right) return -1
  if (left > right) return 1
  if (left === right) return 0
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : 1
  return -1
}

/** `1.5e-7` without its exponent. */
function plainDecimal(text: string): string {
  const [mantissa = '', exponent = '0'] = text.split('e')
  const negative = mantissa.startsWith('-')
  const [whole = '', fraction = ''] = (negative ? mantissa.slice(1) : mantissa).split('.')
  const point = whole.length + Number(exponent)
  const digits = `${'0'.repeat(Math.max(0, 1 - point))}${whole}${fraction}`.padEnd(point, '0')
  const at = Math.max(1, point)
  const integer = digits.slice(0, at).replace(/^0+(?=\d)/u, '')
  return `${negative ? '-' : ''}${integer}${at < digits.length ? `.${digits.slice(at)}` : ''}`
}

/** All the digits of a finite double: it is a whole number divided by a power of two. */
function exactDecimal(double: number): string {
  let scaled = Math.abs(double)
  let halvings = 0
  while (!Number.isInteger(scaled)) {
    scaled *= 2
    halvings++
  }
  // Divided by two as often, which is multiplied by five with as many decimals.
  const digits = (BigInt(scaled) * 5n ** BigInt(halvings)).toString().padStart(halvings + 1, '0')
  const at = digits.length - halvings
  return `${double < 0 ? '-' : ''}${digits.slice(0, at)}${halvings > 0 ? `.${digits.slice(at)}` : ''}`
}
