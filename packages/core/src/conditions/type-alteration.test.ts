import { expect, test } from 'vitest'
import type { ArrayType, BaseType, EnumType, RangeType } from './column-type.ts'
import { typeAlteration } from './type-alteration.ts'
import { unknownType } from './unknown-type.ts'

/** An enumeration of labels with these ids: `'1 low, 2 high'`. */
function level(labels: string): EnumType {
  const pairs = labels === '' ? [] : labels.split(', ').map((pair) => pair.split(' '))
  return {
    kind: 'enum',
    castName: '"public"."level"',
    displayName: 'level',
    labels: pairs.map(([, label = '']) => label),
    labelIds: pairs.map(([id = '']) => id),
  }
}

function text(castName: string, collation: string): BaseType {
  return {
    kind: 'base',
    castName,
    displayName: castName,
    name: castName,
    collation: { name: collation, order: 'code point', asciiCase: true },
  }
}

function arrayOf(element: EnumType): ArrayType {
  return { kind: 'array', castName: '"public"."_level"', displayName: 'level[]', element }
}

function rangeOf(subtype: EnumType): RangeType {
  return { kind: 'range', castName: '"public"."levels"', displayName: 'levels', subtype, defaultOrder: true }
}

const BEFORE = '1 low, 2 high'

test.each([
  ['the same', BEFORE],
  ['one is added after them', '1 low, 2 high, 3 top'],
  ['one is added between them', '1 low, 4 middle, 2 high'],
  ['it is known from before one was added', '1 low'],
  ['it had none', ''],
])('a condition means the same where labels are kept: %s', (_name, now) => {
  expect(typeAlteration(level(BEFORE), level(now))).toBeNull()
  expect(typeAlteration(arrayOf(level(BEFORE)), arrayOf(level(now)))).toBeNull()
  expect(typeAlteration(rangeOf(level(BEFORE)), rangeOf(level(now)))).toBeNull()
})

test.each([
  ['one has another name', '1 low, 2 higher'],
  ['they have each other’s names', '1 high, 2 low'],
  ['one has another name, and a new one has its', '1 low, 2 higher, 3 high'],
  ['one has another name, and one is added', '1 lower, 2 high, 3 top'],
  ['one had another name for a while', '1 low, 2a high'],
  ['they had each other’s names for a while, and one is added', '1a low, 2a high, 3 top'],
  ['they stand in another order', '2 high, 1 low'],
  ['the type was made anew', '5 low, 6 high'],
])('a condition may mean another thing where they are not: %s', (_name, now) => {
  const alteration = 'the labels of its type level were given other names'
  expect(typeAlteration(level(BEFORE), level(now))).toBe(alteration)
  expect(typeAlteration(arrayOf(level(BEFORE)), arrayOf(level(now)))).toBe(alteration)
  expect(typeAlteration(rangeOf(level(BEFORE)), rangeOf(level(now)))).toBe(alteration)
})

test('another type is another meaning, another collation is none by itself', () => {
  expect(typeAlteration(text('text', 'C'), text('varchar', 'C'))).toBe('its type is now varchar')
  expect(typeAlteration(text('text', 'C'), level(BEFORE))).toBe('its type is now level')
  expect(typeAlteration(text('text', 'C'), text('text', 'POSIX'))).toBeNull()
  expect(typeAlteration(level(BEFORE), unknownType('level'))).toBe('its type level is another one of that name')
})
