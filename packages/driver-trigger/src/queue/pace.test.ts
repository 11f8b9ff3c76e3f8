import { describe, expect, test } from 'vitest'
import { pace } from './pace.ts'

/** The rest after so many seconds in which a change comes every so many milliseconds. */
function restAfter(seconds: number, everyMs: number, shortestMs = 5): number {
  let now = 0
  let seen = 0
  const looks = pace(shortestMs, () => now)
  for (;;) {
    now += looks.restMs()
    const made = Math.floor(now / everyMs)
    looks.found(made - seen, 1)
    seen = made
    if (now >= seconds * 1000) return looks.restMs()
  }
}

describe('a reader rests', () => {
  test('no longer than it has to where a thousand changes come in a second, or fewer', () => {
    expect(restAfter(5, 100)).toBe(5)
    expect(restAfter(5, 1)).toBe(5)
  })

  test('the longer the more come, up to a limit', () => {
    const rests = [0.4, 0.35, 0.3, 0.01].map((everyMs) => restAfter(5, everyMs))
    expect(rests).toEqual(rests.toSorted((one, other) => one - other))
    expect(rests[0]).toBeGreaterThan(10)
    expect(rests.at(-1)).toBe(40)
  })

  test('no shorter than it was told to', () => {
    expect(restAfter(5, 0.01, 100)).toBe(100)
  })

  test('soon no longer than before, after many changes at once', () => {
    let now = 0
    const looks = pace(5, () => now)
    looks.found(1000, 1)
    now = 1000
    expect(looks.restMs()).toBe(5)
  })

  test('no longer than before once a look has found nothing', () => {
    const looks = pace(5, () => 0)
    looks.found(100_000, 15)
    expect(looks.restMs()).toBe(40)
    looks.nothing()
    looks.found(1, 1)
    expect(looks.restMs()).toBe(5)
  })

  test('about as long as what it did last, within reason', () => {
    const looks = pace(5, () => 0)
    looks.found(1, 12)
    expect(looks.restMs()).toBe(12)
    looks.found(1, 500)
    expect(looks.restMs()).toBe(20)
    looks.found(1, 1)
    expect(looks.restMs()).toBe(5)
  })
})
