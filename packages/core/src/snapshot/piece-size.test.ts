import { expect, test } from 'vitest'
import { PieceSize } from './piece-size.ts'

/** Reads and handles so many pieces, each row of which takes so long. Returns how many rows they had. */
function sizes(pieces: number, rowMs: number, size: PieceSize, clock: { now: number }): readonly number[] {
  return Array.from({ length: pieces }, () => {
    const { rows } = size
    const handled = size.given(rows)
    clock.now += rows * rowMs
    handled()
    return rows
  })
}

test.each([
  ['quick', 0.001, [100, 800, 6400, 10_000, 10_000]],
  ['that takes no time', 0, [100, 800, 6400, 10_000, 10_000]],
  ['slow', 5, [100, 200, 200, 200, 200]],
  ['very slow', 1000, [100, 10, 10, 10, 10]],
])('with a handler %s pieces have as many rows as it handles in a second', (_, rowMs, expected) => {
  const clock = { now: 0 }
  expect(sizes(5, rowMs, new PieceSize(() => clock.now), clock)).toEqual(expected)
})

test('pieces whose rows nobody wants do not make the next one much larger at once', () => {
  const clock = { now: 0 }
  const size = new PieceSize(() => clock.now)
  sizes(2, 1000, size, clock)
  size.given(10)()
  expect(size.rows).toBe(80)
})

test('a piece that waits behind another one is not taken for slow', () => {
  const clock = { now: 0 }
  const size = new PieceSize(() => clock.now)
  const [first, second] = [size.given(100), size.given(100)]
  expect(size.isEnough).toBe(true)
  clock.now = 500
  first()
  expect([size.rows, size.isEnough]).toEqual([200, false])
  clock.now = 1000
  second()
  expect(size.rows).toBe(200)
})

test('an empty piece says nothing', () => {
  const size = new PieceSize(() => 0)
  size.given(0)()
  expect(size.rows).toBe(100)
})
