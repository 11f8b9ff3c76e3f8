import { expect, test } from 'vitest'

import { delaySummary, delayText } from './delay-summary.ts'

test('median and 99th percentile are ranks of the delays', () => {
  const delays = Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(delaySummary(delays)).toEqual({ median: 100, p99: 198 })
  expect(delaySummary([7])).toEqual({ median: 7, p99: 7 })
  expect(delaySummary([])).toBeNull()
})

test.each([
  [0.04, '0.0 ms'],
  [-0.02, '0.0 ms'],
  [0.84, '0.8 ms'],
  [9.94, '9.9 ms'],
  [9.96, '10 ms'],
  [999.4, '999 ms'],
  [999.9, '1.0 s'],
  [1_432, '1.4 s'],
])('%f ms is shown as %s', (milliseconds, text) => {
  expect(delayText(milliseconds)).toBe(text)
})
