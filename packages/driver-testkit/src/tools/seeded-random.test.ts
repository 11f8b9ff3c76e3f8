import { expect, test } from 'vitest'
import { seededRandom } from './seeded-random.ts'

const first = (seed: number): number[] => {
  const random = seededRandom(seed)
  return Array.from({ length: 1000 }, () => random.integer(10))
}

test('gives the same numbers for the same seed, and others for another one', () => {
  expect(first(7)).toEqual(first(7))
  expect(first(7)).not.toEqual(first(8))
})

test('gives every number about equally often', () => {
  for (let value = 0; value < 10; value += 1) {
    const count = first(1).filter((number) => number === value).length
    expect(count).toBeGreaterThan(60)
    expect(count).toBeLessThan(150)
  }
})
