import { expect, test } from 'vitest'
import { formatLsn, halvesOf, hexDigits, lsnDigits, lsnDigitsOfHalves, lsnOfHalves, parseLsn } from './lsn.ts'
import { positionBefore, positionPrefix } from './wal-position.ts'

test.each([
  ['0/0', 0n, '0000000000000000'],
  ['0/1', 1n, '0000000000000001'],
  ['0/FFFFFFFF', 0xffffffffn, '00000000ffffffff'],
  ['1/0', 0x100000000n, '0000000100000000'],
  ['16/B374D848', 0x16b374d848n, '00000016b374d848'],
  // Beyond what a double holds.
  ['200000/1', 0x20000000000001n, '0020000000000001'],
  ['FFFFFFFF/FFFFFFFF', 0xffffffffffffffffn, 'ffffffffffffffff'],
])('%s', (text, lsn, digits) => {
  expect(parseLsn(text)).toBe(lsn)
  expect(formatLsn(lsn)).toBe(text)
  expect(lsnDigits(lsn)).toBe(digits)
  const [high, low] = halvesOf(lsn)
  expect(lsnOfHalves(high, low)).toBe(lsn)
  expect(lsnDigitsOfHalves(high, low)).toBe(digits)
  expect(positionPrefix(lsn)).toBe(`${digits}/`)
})

test.each(['', '0', '0/', '/0', '0/100000000', 'g/0', '0/0/0', ' 0/0'])('%j is no place', (text) => {
  expect(() => parseLsn(text)).toThrow(RangeError)
})

test('positions sort as the changes do', () => {
  const at = (commit: bigint, place: number, ordinal = 0): string =>
    `${positionPrefix(commit)}${lsnDigitsOfHalves(0, place)}-${hexDigits(ordinal)}`
  const inOrder = [
    at(0xffn, 0),
    at(0xffn, 9),
    at(0xffn, 10),
    at(0xffn, 10, 1),
    at(0xffn, 0xfffffffe),
    positionBefore(0x100n),
    at(0x100n, 0),
    at(0x1ffffffffn, 3),
    at(0x200000000n, 0),
  ]
  expect(inOrder.toSorted()).toEqual(inOrder)
})
