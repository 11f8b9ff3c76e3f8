import { expect, test } from 'vitest'
import { LogHistory } from './log-history.ts'

const EVERY_MS = 10_000

test('a place is as old as the first look that saw the log beyond it', () => {
  const history = new LogHistory()
  history.add(0, 100n)
  history.add(10_000, 100n)
  history.add(20_000, 200n)
  history.add(30_000, 200n)
  expect(history.ageOf(50n, 40_000)).toBe(40_000)
  expect(history.ageOf(150n, 40_000)).toBe(20_000)
  expect(history.ageOf(200n, 40_000)).toBe(0)
})

test('a reader that never catches up makes it neither long nor wrong', () => {
  const history = new LogHistory()
  // A month.
  const looks = 259_200
  for (let look = 0; look < looks; look += 1) history.add(look * EVERY_MS, BigInt(look) * 10n)
  expect(history.size).toBeLessThan(3000)
  const now = (looks - 1) * EVERY_MS
  for (const behind of [200_000, 100_000, 10_000]) {
    const age = history.ageOf(BigInt(looks - behind) * 10n, now) / EVERY_MS
    expect(age).toBeLessThanOrEqual(behind)
    expect(age).toBeGreaterThan(behind - looks / 200)
  }
})

test('a reader that keeps up needs next to nothing', () => {
  const history = new LogHistory()
  for (let look = 0; look < 10_000; look += 1) {
    history.add(look * EVERY_MS, BigInt(look) * 10n)
    expect(history.ageOf(BigInt(look - 3) * 10n, look * EVERY_MS)).toBe(look < 3 ? look * EVERY_MS : 2 * EVERY_MS)
  }
  expect(history.size).toBeLessThan(5)
})
