import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dateOf, dateOfHalves, standbyStatus } from './standby-status.ts'

test('tells exactly what was received and handled, and asks for no answer', () => {
  const message = standbyStatus(0x1_0000_0005n, 0x1_0000_0002n, Date.UTC(2000, 0, 1, 0, 0, 1))
  expect(message.toString('hex')).toBe(
    ['64', '00000026', '72', '0000000100000005', '0000000100000002', '0000000100000002', '00000000000f4240', '00'].join(
      '',
    ),
  )
})

test('reads times that are before and after 2000', () => {
  expect(dateOf(0n)).toEqual(new Date('2000-01-01T00:00:00.000Z'))
  expect(dateOf(1_234_567n)).toEqual(new Date('2000-01-01T00:00:01.234Z'))
  expect(dateOf(-1_234_567n)).toEqual(new Date('1999-12-31T23:59:58.766Z'))
})

test('reads the same times from two halves', () => {
  const times = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-(2n ** 54n), 2n ** 54n))
  fc.assert(
    fc.property(times, (microseconds) => {
      const high = Number(microseconds >> 32n)
      const low = Number(microseconds & 0xffffffffn)
      expect(dateOfHalves(high, low).getTime()).toBe(dateOf(microseconds).getTime())
    }),
    { numRuns: 2000 },
  )
})
