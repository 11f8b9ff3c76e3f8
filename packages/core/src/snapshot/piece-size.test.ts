import { expect, test } from 'vitest'
import { PieceSize } from './piece-size.ts'

/** Reads and handles so many pieces, each row of which takes so long. Returns how many rows they had. */
function sizes(pieces: number, rowMs: number, size: PieceSize, clock: { now: number }): readonly number[] {
  return Array.from({ length: pieces }, () => {
    const { rows } = size
    const handled = size.read(rows, { pending: rows })
    clock.now += rows * rowMs
    handled()
    return rows
  })
}

test.each([
  ['that is quick', 0.001, [100, 800, 6400, 10_000, 10_000]],
  ['that takes no time', 0, [100, 800, 6400, 10_000, 10_000]],
  ['that is slow', 5, [100, 200, 200, 200, 200]],
  ['that is very slow', 1000, [100, 10, 10, 10, 10]],
])('with a handler %s pieces have as many rows as it handles in a second', (_, rowMs, expected) => {
  const clock = { now: 0 }
  expect(sizes(5, rowMs, new PieceSize(() => clock.now), clock)).toEqual(expected)
})

test('a piece that nobody wants rows of does not make the next one large', () => {
  const clock = { now: 0 }
  const size = new PieceSize(() => clock.now)
  sizes(2, 1000, size, clock)
  size.read(10, { pending: 0 })()
  expect(size.rows).toBe(10)
})

test('a piece that waits behind another one is not taken for slow', () => {
  const clock = { now: 0 }
  const size = new PieceSize(() => clock.now)
  const [first, second] = [size.read(100, { pending: 100 }), size.read(100, { pending: 100 })]
  clock.now = 500
  first()
  expect(size.rows).toBe(200)
  clock.now = 1000
  second()
  expect(size.rows).toBe(200)
})

test('pieces that end together are not taken for quick', () => {
  const clock = { now: 0 }
  const size = new PieceSize(() => clock.now)
  const [first, second] = [size.read(100, { pending: 100 }), size.read(100, { pending: 100 })]
  clock.now = 1000
  first()
  second()
  expect(size.rows).toBeLessThanOrEqual(300)
})

test('rows that wait are enough where there are as many as a piece has, and few that take for ever are not', () => {
  const size = new PieceSize(() => 0)
  const [first, second] = [{ pending: 60 }, { pending: 40 }]
  size.read(100, first)
  size.read(100, second)
  expect(size.isEnough).toBe(true)
  first.pending = 1
  second.pending = 1
  expect(size.isEnough).toBe(false)
})

test('an empty piece says nothing', () => {
  const size = new PieceSize(() => 0)
  size.read(0, { pending: 0 })()
  expect(size.rows).toBe(100)
})
