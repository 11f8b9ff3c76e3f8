import { expect, test } from 'vitest'
import { dateOf, standbyStatus } from './standby-status.ts'

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
})
