import { expect, test } from 'vitest'
import { WHOLE } from './captured-part.ts'
import { lackingOf } from './lacking-of.ts'

const content = {
  key: ['id'],
  columns: ['id', 'a', 'b'].map((name, index) => ({
    name,
    number: index + 1,
    typeOid: 23,
    typeName: 'int4',
    virtual: false,
  })),
}
const only = (...names: readonly string[]) => ({
  ...WHOLE,
  columns: content.columns.filter(({ name }) => names.includes(name)),
})

test.each([
  [only('id', 'a', 'b'), null],
  [only('id', 'a'), 'the value of "b"'],
  [only('id'), 'the values of "a", "b"'],
])('what is lacking is told as the object of a sentence', (part, expected) => {
  expect(lackingOf({ columns: null, where: null }, part, content)).toBe(expected)
})
