import { describe, expect, test } from 'vitest'
import { boundaryPosition, changePosition, movedPosition } from './queue-position.ts'
import { parseSnapshot } from './snapshot.ts'

describe('snapshots', () => {
  test.each([
    ['10:10:', 10n],
    ['10:12:10', 11n],
    ['10:20:10,14,18', 17n],
    ['18446744073709551000:18446744073709551610:18446744073709551000', 18446744073709551609n],
  ])('%s has the ordinal %s', (text, ordinal) => {
    expect(parseSnapshot(text).ordinal).toBe(ordinal)
  })

  test('what is not a snapshot is refused', () => {
    expect(() => parseSnapshot('10:10')).toThrow('is not a pg_snapshot')
  })
})

describe('positions', () => {
  test('are sixteen hexadecimal digits three times', () => {
    expect(changePosition(parseSnapshot('10:16:'), 255, 1)).toBe('0000000000000010/00000000000000ff/0000000000000001')
  })

  test('compare as strings as the stream runs', () => {
    const [earlier, later] = [parseSnapshot('255:255:'), parseSnapshot('255:257:255')]
    const stream = [
      changePosition(earlier, 9, 8),
      movedPosition(earlier, 9, 9, 1),
      movedPosition(earlier, 9, 9, 16),
      changePosition(earlier, 9, 9),
      changePosition(earlier, 4096, 3),
      changePosition(earlier, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      boundaryPosition(earlier),
      changePosition(later, 1, 1),
      boundaryPosition(later),
    ]
    expect(stream.toSorted()).toEqual(stream)
    expect(new Set(stream).size).toBe(stream.length)
  })
})
