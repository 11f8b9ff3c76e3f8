import { expect, test } from 'vitest'
import { retryDelayMs } from './retry-policy.ts'

const policy = { attempts: 10, minDelayMs: 100, maxDelayMs: 1000 }

test('the delay doubles from the least to the longest', () => {
  const delays = [1, 2, 3, 4, 5, 6].map((failed) => retryDelayMs(policy, failed, () => 1))
  expect(delays).toEqual([100, 200, 400, 800, 1000, 1000])
})

test('the delay is somewhere between a half and the whole of that', () => {
  expect([0, 0.5, 1].map((random) => retryDelayMs(policy, 2, () => random))).toEqual([100, 150, 200])
})
