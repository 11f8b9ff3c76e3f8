import { describe, expect, test } from 'vitest'
import { boundaryPosition, changePositions } from './queue-position.ts'
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
    expect(changePositions(parseSnapshot('10:16:'))(255)()).toBe('0000000000000010/00000000000000ff/0000000000000001')
  })

  test('compare as strings as the stream runs', () => {
    const [earlier, later] = [parseSnapshot('255:255:'), parseSnapshot('255:257:255')]
    const [first, second, third] = [
      changePositions(earlier)(9),
      changePositions(earlier)(4096),
      changePositions(earlier)(Number.MAX_SAFE_INTEGER),
    ]
    const stream = [
      ...Array.from({ length: 20 }, first),
      ...Array.from({ length: 20 }, second),
      third(),
      boundaryPosition(earlier),
      changePositions(later)(1)(),
      boundaryPosition(later),
    ]
    expect(stream.toSorted()).toEqual(stream)
    expect(new Set(stream).size).toBe(stream.length)
  })
})
