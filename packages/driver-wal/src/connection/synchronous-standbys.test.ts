import { expect, test } from 'vitest'
import { isCountedAsStandby, standbyNames } from './synchronous-standbys.ts'

test.each([
  ['', []],
  ['s1', ['s1']],
  ['s1, s2', ['s1', 's2']],
  ['2 (s1,s2)', ['s1', 's2']],
  ['FIRST 1 (s1, "s 2")', ['s1', 's 2']],
  ['any 2 ( "a""b" , * )', ['a"b', '*']],
  ['*', ['*']],
  ['"1 (x)"', ['1 (x)']],
])('%s', (setting, names) => {
  expect(standbyNames(setting)).toEqual(names)
})

test.each([
  ['', false],
  ['s1, rowtap', false],
  ['*', true],
  ['ANY 1 (s1, *)', true],
  ['FIRST 2 (s1, "Rowtap Changes")', true],
])('%s: %s', (setting, isCounted) => {
  expect(isCountedAsStandby(setting, 'rowtap changes')).toBe(isCounted)
})
