import { expect, test } from 'vitest'
import { mayBeToasted } from './bounded-type.ts'

const UTF8 = { inlineBytes: 24, characterBytes: 4 }
const LATIN1 = { inlineBytes: 24, characterBytes: 1 }
const NUMERIC = 1700

function numeric(precision: number, scale: number): number {
  return ((precision << 16) | (scale & 0x7ff)) + 4
}

test.each([
  ['text', 25, -1, UTF8, true],
  ['jsonb', 3802, -1, UTF8, true],
  ['varchar', 1043, -1, UTF8, true],
  ['varchar(5)', 1043, 9, UTF8, false],
  ['varchar(6)', 1043, 10, UTF8, true],
  ['varchar(20) in LATIN1', 1043, 24, LATIN1, false],
  ['varchar(21) in LATIN1', 1043, 25, LATIN1, true],
  ['char(5)', 1042, 9, UTF8, false],
  ['bpchar', 1042, -1, UTF8, true],
  ['bit(128)', 1560, 128, UTF8, false],
  ['varbit(129)', 1562, 129, UTF8, true],
  ['varbit', 1562, -1, UTF8, true],
  ['inet', 869, -1, UTF8, false],
  ['daterange', 3912, -1, UTF8, false],
  ['numeric', NUMERIC, -1, UTF8, true],
  ['numeric(12,2)', NUMERIC, numeric(12, 2), UTF8, false],
  ['numeric(32,0)', NUMERIC, numeric(32, 0), UTF8, false],
  ['numeric(33,0)', NUMERIC, numeric(33, 0), UTF8, true],
  ['numeric(29,1)', NUMERIC, numeric(29, 1), UTF8, false],
  // A group of each side of the point is begun.
  ['numeric(30,1)', NUMERIC, numeric(30, 1), UTF8, true],
  ['numeric(5,-3)', NUMERIC, numeric(5, -3), UTF8, false],
  ['numeric(2,1000)', NUMERIC, numeric(2, 1000), UTF8, false],
  ['numeric(1000,2)', NUMERIC, numeric(1000, 2), UTF8, true],
])('a value of %s may be moved out of its row, or not', (_name, baseTypeOid, baseTypeModifier, limits, expected) => {
  expect(mayBeToasted({ baseTypeOid, baseTypeModifier, storage: 'x' }, limits)).toBe(expected)
})

test('what is smaller than a pointer stays on machines of 32 bits, too, where a pointer is smaller', () => {
  const limits = { inlineBytes: 20, characterBytes: 4 }
  const moved = (baseTypeOid: number, baseTypeModifier: number): boolean =>
    mayBeToasted({ baseTypeOid, baseTypeModifier, storage: 'm' }, limits)
  expect([moved(1043, 8), moved(1043, 9), moved(869, -1), moved(NUMERIC, numeric(24, 0))]).toEqual([
    false,
    true,
    true,
    false,
  ])
})

test('what is stored plain is never moved', () => {
  expect(mayBeToasted({ baseTypeOid: 25, baseTypeModifier: -1, storage: 'p' }, UTF8)).toBe(false)
})
