import { expect, test } from 'vitest'
import { isWithin } from './published-part.ts'
import { marksOf, readFilter } from './row-filter.ts'

const CONDITION = {
  tree: { kind: 'null', column: 'a', negated: false },
  sql: `("a" IS NULL)`,
} as const

test('a condition has a mark of its own, which is another one for a column that only has the same name', () => {
  const [mark] = marksOf(CONDITION, new Map([['a', 2]]))
  expect(mark).toMatch(/^[0-9a-f]{16}$/u)
  expect(marksOf(CONDITION, new Map([['a', 2]]))).toEqual([mark])
  expect(marksOf(CONDITION, new Map([['a', 3]]))).not.toEqual([mark])
  expect(marksOf({ ...CONDITION, sql: `("a" IS NOT NULL)` }, new Map([['a', 2]]))).not.toEqual([mark])
})

test('the marks of a filter are read back as PostgreSQL prints it, and from nowhere else in it', () => {
  const printed = `((a = 1) OR (b = 'it''s'::text) OR ('rowtap 0123456789abcdef fedcba9876543210'::text IS NULL))`
  expect(readFilter(printed).marks).toEqual(['0123456789abcdef', 'fedcba9876543210'])
  expect(readFilter(`((a = 1) OR ('rowtap 0123456789abcdef' IS NULL))`).marks).toEqual(['0123456789abcdef'])
  for (const other of [
    `(b = '''rowtap 0123456789abcdef'' IS NULL'::text)`,
    `(('rowtap 0123456789abcdef'::text IS NULL) OR (a = 1))`,
    '(a = 1)',
  ]) {
    expect(readFilter(other).marks).toEqual([])
  }
  // Asked for again, it stands for all that is in it.
  expect(marksOf({ tree: { kind: 'constant', value: true }, sql: printed }, new Map())).toHaveLength(2)
})

test('a part is within another one where it has no row and no column besides', () => {
  const rows = (text: string, ...marks: readonly string[]) => ({ rows: { text, marks }, columns: null })
  expect(isWithin(rows('1', 'a'), rows('2', 'a', 'b'))).toBe(true)
  expect(isWithin(rows('2', 'a', 'b'), rows('1', 'a'))).toBe(false)
  expect(isWithin({ rows: null, columns: null }, rows('1', 'a'))).toBe(false)
  // Somebody else's filter, of which nothing is known but its text.
  expect(isWithin(rows('1'), rows('1'))).toBe(true)
  expect(isWithin(rows('1'), rows('2'))).toBe(false)
  expect(isWithin(rows('2', 'a'), rows('1'))).toBe(false)
  expect(isWithin({ rows: null, columns: ['id'] }, { rows: null, columns: ['id', 'a'] })).toBe(true)
  expect(isWithin({ rows: null, columns: null }, { rows: null, columns: ['id', 'a'] })).toBe(false)
})
