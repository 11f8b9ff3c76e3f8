import { expect, test } from 'vitest'

import { calibrateWallClock, wallClockMicroseconds } from './wall-clock.ts'

test('the clock agrees with the machine’s, within what that one shows', () => {
  calibrateWallClock(50)
  for (let round = 0; round < 1_000; round += 1) {
    const before = Date.now()
    const time = wallClockMicroseconds() / 1_000
    const after = Date.now()
    expect(time).toBeGreaterThan(before - 0.5)
    expect(time).toBeLessThan(after + 1.1)
  }
})
