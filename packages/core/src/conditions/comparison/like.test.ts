import { describe, expect, test } from 'vitest'
import { asciiIlikeTest, isLikePattern, likeTest } from './like.ts'

describe('LIKE', () => {
  test.each([
    ['', '', true],
    ['', 'a', false],
    ['%', '', true],
    ['_', '', false],
    ['_', '😀', true],
    ['__', '😀', false],
    ['_', 'e\u0301', false],
    ['%_', '😀', true],
    ['%__', '😀', false],
    ['%_b', 'a😀b', true],
    ['a%b%c', 'aXbXbYc', true],
    ['a%b%c', 'aXcXb', false],
    ['%ab', 'aab', true],
    ['%aab%', 'aaab', true],
    ['a\\%', 'a%', true],
    ['a\\%', 'ab', false],
    ['a\\_b', 'a_b', true],
    ['\\a', 'a', true],
    ['\\\\', '\\', true],
    ['%\\%%', '100%!', true],
    ['a\nb%', 'a\nbc', true],
    ['%%', 'x', true],
  ])('%j on %j is %s', (pattern, text, expected) => {
    expect(likeTest(pattern)(text)).toBe(expected)
  })

  test('many wildcards take no exponential time', () => {
    expect(likeTest(`${'%a'.repeat(40)}%b`)('a'.repeat(10_000))).toBe(false)
  })

  test('a pattern must not end in its escape character', () => {
    expect(isLikePattern('a\\\\')).toBe(true)
    expect(isLikePattern('a\\')).toBe(false)
  })

  test('ILIKE folds A to Z, and no other letter', () => {
    expect(asciiIlikeTest('AB%')('abC')).toBe(true)
    expect(asciiIlikeTest('É')('é')).toBe(false)
    expect(asciiIlikeTest('K')('\u212A')).toBe(false)
  })
})
