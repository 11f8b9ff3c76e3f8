import { describe, expect, test } from 'vitest'
import type { Verdict } from './verdict.ts'
import { ANY, both, either, FALSE, negated, NULL, TRUE, TRUE_OR_FALSE, truthOf, verdictOf } from './verdict.ts'

describe('AND, OR and NOT', () => {
  test.each([
    ['true AND NULL', both(TRUE, NULL), null],
    ['false AND NULL', both(FALSE, NULL), false],
    ['true OR NULL', either(TRUE, NULL), true],
    ['false OR NULL', either(FALSE, NULL), null],
    ['NOT NULL', negated(NULL), null],
    ['NOT true', negated(TRUE), false],
    ['NOT false', negated(FALSE), true],
    ['false AND unavailable', both(FALSE, ANY), false],
    ['unavailable AND false', both(ANY, FALSE), false],
    ['true AND unavailable', both(TRUE, ANY), 'unavailable'],
    ['true OR unavailable', either(TRUE, ANY), true],
    ['unavailable OR true', either(ANY, TRUE), true],
    ['NULL OR unavailable', either(NULL, ANY), 'unavailable'],
    ['NOT unavailable', negated(TRUE_OR_FALSE), 'unavailable'],
  ] satisfies [string, number, Verdict][])('%s', (_, verdicts, expected) => {
    expect(verdictOf(verdicts)).toBe(expected)
  })

  test('NULL AND unavailable is not true, whatever the value', () => {
    expect(truthOf(both(NULL, ANY))).toBe(false)
    expect(truthOf(negated(both(NULL, ANY)))).toBe('unavailable')
  })
})
