import { describe, expect, test } from 'vitest'
import { compareDecimals } from './compare-decimals.ts'
import { decimalKey, singlePrecision } from './number-comparison.ts'

const ASCENDING = [
  '-Infinity',
  `-1${'0'.repeat(1000)}`,
  '-10',
  '-9.99',
  '-9.9',
  '-0.001',
  '0',
  '0.0001',
  '0.1',
  '0.11',
  '1',
  '9',
  '9.5',
  '10',
  `1${'0'.repeat(1000)}`,
  `1${'0'.repeat(1000)}.1`,
  'Infinity',
  'NaN',
]

describe('numeric', () => {
  test('is ordered at any length, with NaN as the greatest', () => {
    for (const [at, left] of ASCENDING.entries()) {
      for (const [other, right] of ASCENDING.entries()) {
        expect(Math.sign(compareDecimals(left, right)), `${left} ${right}`).toBe(Math.sign(at - other))
      }
    }
  })

  test.each([
    ['1.0', '1.00', 0],
    ['0', '0.000', 0],
    ['-1.5', '-1.50', 0],
    ['1.50', '1.5001', -1],
  ])('%s and %s', (left, right, sign) => {
    expect(Math.sign(compareDecimals(left, right))).toBe(sign)
    expect(decimalKey(left) === decimalKey(right)).toBe(sign === 0)
  })
})

describe('the float4 of a text', () => {
  test('is rounded once: a text next to the middle of two goes to its own side', () => {
    // 1 + 2^-24 is the middle between 1 and the next float4.
    const next = 1 + 2 ** -23
    expect(singlePrecision('1.000000059604644775390625')).toBe(1)
    expect(singlePrecision('1.0000000596046447753906251')).toBe(next)
    expect(singlePrecision('1.0000000596046447753906249')).toBe(1)
    expect(singlePrecision('-1.0000000596046447753906251')).toBe(-next)
    expect(singlePrecision('0.1')).toBe(Math.fround(0.1))
    expect(singlePrecision('1e-45')).toBe(2 ** -149)
    expect(singlePrecision('-Infinity')).toBe(-Infinity)
  })
})
