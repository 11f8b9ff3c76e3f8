import { expect, test } from 'vitest'

import { displayWidth, padTo, shorten } from './display-width.ts'

test.each([
  ['', 0],
  ['abc', 3],
  ['é', 1],
  ['e\u0301', 1],
  ['変更', 4],
  ['한글', 4],
  ['🐘', 2],
  ['→', 1],
])('%j takes %i columns', (text, columns) => {
  expect(displayWidth(text)).toBe(columns)
})

test.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'ab…'],
  ['変更変', 5, '変更…'],
  ['変更変更', 6, '変更…'],
  ['abc', 1, '…'],
  ['abc', 0, ''],
])('%j in %i columns is %j', (text, columns, expected) => {
  expect(shorten(text, columns)).toBe(expected)
})

test('filling counts columns, not characters', () => {
  expect(padTo('変', 4)).toBe('変  ')
  expect(padTo('abcde', 4)).toBe('abcde')
})
