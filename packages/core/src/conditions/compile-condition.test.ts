import { describe, expect, test } from 'vitest'
import type { Collation, ColumnType } from './column-type.ts'
import { compileCondition } from './compile-condition.ts'
import { conditionOf } from './condition-of.ts'
import { withPlaces } from './condition-places.ts'
import type { Condition } from './condition.ts'
import { fixedColumns } from './index-key.ts'
import { normalisedConstants } from './normalise-constants.ts'
import { toSql } from './to-sql.ts'
import { tupleOf } from '../testing/conditions/tuple-of.ts'

const C: Collation = { name: 'C', order: 'code point', asciiCase: true }
const GERMAN: Collation = { name: 'de_DE', order: 'locale', asciiCase: false }
const CASELESS: Collation = { name: 'caseless', order: 'nondeterministic', asciiCase: false }

function base(name: string, collation: Collation | null = null): ColumnType {
  return { kind: 'base', name, castName: `"pg_catalog"."${name}"`, displayName: name, collation }
}

const COLUMNS = [
  { name: 'id', type: base('int4') },
  { name: 'note', type: base('text', C) },
  { name: 'city', type: base('text', GERMAN) },
  { name: 'nick', type: base('text', CASELESS) },
  { name: 'paid', type: base('bool') },
  { name: 'doc', type: base('json') },
  { name: 'total', type: base('numeric') },
  {
    name: 'mood',
    type: {
      kind: 'enum',
      castName: '"public"."mood"',
      displayName: 'mood',
      labels: ['sad', 'glad'],
      labelIds: ['1', '2'],
    } satisfies ColumnType,
  },
]

const TABLE = { schema: 'public', name: 'orders' }

/** Constants here are written as they are printed. */
const asWritten = (constants: readonly { readonly text: string }[]) =>
  Promise.resolve(constants.map(({ text }) => ({ text })))

async function compiled(where: unknown) {
  const condition = conditionOf(where)
  return compileCondition(condition, COLUMNS, await normalisedConstants(condition, COLUMNS, asWritten, TABLE), TABLE)
}

describe('a compiled condition', () => {
  test('names the columns that it reads', async () => {
    expect((await compiled({ note: 'a', or: [{ id: 1 }, { id: 2, total: null }] })).columns).toEqual([0, 1, 6])
  })

  test('needs no value that makes no difference', async () => {
    const condition = await compiled({ id: 1, note: 'a' })
    const onlyId = (text: string | null) => tupleOf([text], (index) => index === 0)
    expect(condition.evaluate(onlyId('2'))).toBe(false)
    expect(condition.evaluate(onlyId('1'))).toBe('unavailable')
    expect(condition.isTrue(onlyId(null))).toBe(false)
    expect((await compiled({ or: [{ id: 1 }, { note: 'a' }] })).evaluate(onlyId('1'))).toBe(true)
    expect((await compiled({ note: null })).evaluate(onlyId('1'))).toBe('unavailable')
  })

  test('of no conditions is true, and of an empty list false even for NULL', async () => {
    expect((await compiled({})).evaluate(tupleOf([]))).toBe(true)
    expect((await compiled({ or: [] })).evaluate(tupleOf([]))).toBe(false)
    expect((await compiled({ id: { in: [] } })).evaluate(tupleOf([null]))).toBe(false)
    expect((await compiled({ id: { notIn: [] } })).evaluate(tupleOf([null]))).toBe(true)
  })
})

describe('what cannot be evaluated exactly is refused with a reason', () => {
  test.each([
    [{ ident: 1 }, 'ERR_INVALID_OPTIONS', 'Table public.orders has no column "ident" (named in \'where\')'],
    [{ other: 1 }, 'ERR_INVALID_OPTIONS', 'Its columns are "id", "note"'],
    [{ idd: 1 }, 'ERR_INVALID_OPTIONS', 'Did you mean "id"?'],
    [{ kind: 'in' }, 'ERR_INVALID_OPTIONS', 'of this kind has the members kind, column, negated, constants.'],
    [
      { kind: 'xor', conditions: [] },
      'ERR_INVALID_OPTIONS',
      'If a condition tree was meant: its kind is one of and, or, not, compare, in, between, null, boolean, constant. Did you mean "or"?',
    ],
    [{ kind: 'between ', column: 'a' }, 'ERR_INVALID_OPTIONS', 'Did you mean "between"?'],
    [{ id: { like: '1%' } }, 'ERR_INVALID_OPTIONS', 'no such operator for the type int4. Patterns are for texts'],
    [{ id: { like: '1%' } }, 'ERR_INVALID_OPTIONS', 'cannot use LIKE on column "id" of table public.orders'],
    [{ doc: { eq: {} } }, 'ERR_INVALID_OPTIONS', 'cannot use = on column "doc" of table public.orders'],
    [{ doc: { eq: {} } }, 'ERR_INVALID_OPTIONS', 'compare a column of type jsonb'],
    [
      { kind: 'compare', column: 'doc', operator: 'eq', constant: { text: '1', type: 'int4' } },
      'ERR_INVALID_OPTIONS',
      'compare a column of type jsonb',
    ],
    [
      { id: [1] },
      'ERR_INVALID_OPTIONS',
      'with a list, and its type is int4: for one of several values use the operator in',
    ],
    [{ id: { eq: { a: 1 } } }, 'ERR_INVALID_OPTIONS', 'column "id" of table public.orders with an object'],
    [
      { note: { like: 'a\\' } },
      'ERR_INVALID_OPTIONS',
      `The pattern 'a\\' for column "note" of table public.orders must not end with its escape`,
    ],
    [
      { city: { gt: 'a' } },
      'ERR_CAPABILITY_UNSUPPORTED',
      'column "city" of table public.orders cannot be evaluated exactly',
    ],
    [{ city: { gt: 'a' } }, 'ERR_CAPABILITY_UNSUPPORTED', 'test it in the handler'],
    [{ city: { gt: 'a' } }, 'ERR_CAPABILITY_UNSUPPORTED', 'the order of texts under the collation de_DE'],
    [{ city: { ilike: 'a' } }, 'ERR_CAPABILITY_UNSUPPORTED', 'upper and lower case'],
    [{ nick: 'a' }, 'ERR_CAPABILITY_UNSUPPORTED', 'different texts may be equal'],
    [
      { kind: 'boolean', column: 'id', test: 'value' },
      'ERR_INVALID_OPTIONS',
      'Only a boolean is a condition by itself',
    ],
    [
      { kind: 'compare', column: 'note', operator: 'eq', constant: { text: '1', type: 'int4' } },
      'ERR_INVALID_OPTIONS',
      'write the constant in quotes',
    ],
    [
      { kind: 'compare', column: 'total', operator: 'eq', constant: { text: '1', type: 'float8' } },
      'ERR_CAPABILITY_UNSUPPORTED',
      'compared as float8',
    ],
  ])('%j', async (where, code, sentence) => {
    await expect(compiled(where)).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(sentence) }),
    )
  })

  test.each([
    [{ total: 'x' }, 'column "total" of table public.orders, whose type is numeric: no numeric.'],
    [{ total: 'x' }, 'The constant "x" in'],
    [{ not: { or: [{ id: 1 }, { id: { in: [1, 'x'] } }] } }, 'column "id" of table public.orders'],
    [{ mood: 'x' }, 'Its labels are "sad", "glad".'],
    [
      { kind: 'compare', column: 'id', operator: 'eq', constant: { text: 'x', type: 'numeric' } },
      'whose type is int4, compared with a numeric',
    ],
    [{ note: { eq: 'x'.repeat(100) }, total: 'x'.repeat(1000) }, `"${'x'.repeat(80)}…"`],
  ])('a constant that does not fit: %j', async (where, sentence) => {
    const refusing = (constants: readonly { readonly text: string }[]) =>
      Promise.resolve(constants.map(({ text }) => (text.startsWith('x') ? { error: 'no numeric' } : { text })))
    await expect(normalisedConstants(conditionOf(where), COLUMNS, refusing, TABLE)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTIONS', message: expect.stringContaining(sentence) }),
    )
  })

  test('equality is exact under every deterministic collation', async () => {
    expect((await compiled({ city: 'Köln' })).evaluate(tupleOf([null, null, 'Köln']))).toBe(true)
  })
})

describe('of a condition that was read from a text the place is shown', () => {
  const text = 'id = é AND\n  total BETWEEN 1 AND x'
  const places = { text, column: 13, operator: 19, constants: [27, 33] }
  const between = (column: string, low: string, high: string): Condition =>
    withPlaces(
      { kind: 'between', column, negated: true, low: { text: low, type: null }, high: { text: high, type: null } },
      places,
    )
  const refusing = (constants: readonly { readonly text: string }[]) =>
    Promise.resolve(constants.map(({ text: one }) => (one === 'x' ? { error: 'no numeric' } : { text: one })))

  test.each([
    ['an unknown column', between('totl', '1', '2'), 'ERR_INVALID_OPTIONS', 2],
    ['an operator', between('doc', '1', '2'), 'ERR_INVALID_OPTIONS', 8],
    ['what only PostgreSQL can do', between('city', '1', '2'), 'ERR_CAPABILITY_UNSUPPORTED', 8],
    ['the first constant', between('total', 'x', '1.50'), 'ERR_INVALID_OPTIONS', 16],
    ['the second constant', between('total', '1.50', 'x'), 'ERR_INVALID_OPTIONS', 22],
    ['a part of a checked tree', conditionOf({ and: [{ not: between('totl', '1', '2') }] }), 'ERR_INVALID_OPTIONS', 2],
  ])('%s', async (_, condition, code, indent) => {
    const error: unknown = await normalisedConstants(condition, COLUMNS, refusing, TABLE)
      .then((constants) => compileCondition(condition, COLUMNS, constants, TABLE))
      .catch((refusal: unknown) => refusal)
    expect(error).toMatchObject({ code, cause: { text, offset: 11 + indent, line: 2, column: indent + 1 } })
    expect(String(error).split('\n').slice(1)).toEqual([`    total BETWEEN 1 AND x`, `  ${' '.repeat(indent)}^`])
  })

  test('which is no part of the tree', () => {
    const condition = between('total', '1', '2')
    expect(structuredClone(condition)).toEqual(condition)
    expect(JSON.parse(JSON.stringify(condition))).toEqual(condition)
    expect(Reflect.ownKeys(condition)).toEqual(['kind', 'column', 'negated', 'low', 'high'])
  })
})

describe('to SQL', () => {
  test('names and constants cannot be read as anything else', () => {
    const columns = [{ name: 'a"b', type: base('text', C) }]
    const condition = conditionOf({ 'a"b': `it's \\ "quoted"` })
    expect(toSql(condition, columns)).toBe(`("a""b" = E'it''s \\\\ "quoted"')`)
  })

  test('groups stand in parentheses', () => {
    const condition = conditionOf({ id: { gt: 1 }, or: [{ note: null }, { not: { paid: true } }] })
    expect(toSql(condition, COLUMNS)).toBe(`(("id" > '1') AND (("note" IS NULL) OR (NOT ("paid" = 'true'))))`)
  })
})

describe('the columns that a condition fixes', () => {
  test.each([
    [{ id: 5, note: { like: 'a%' } }, [{ index: 0, keys: ['5'], decides: false }]],
    [{ id: 5 }, [{ index: 0, keys: ['5'], decides: true }]],
    [{ and: [{ id: { in: [5] } }] }, [{ index: 0, keys: ['5'], decides: true }]],
    [{ total: { in: ['1.50', '1.5', '2'] } }, [{ index: 6, keys: ['1.5', '2'], decides: true }]],
    [{ or: [{ id: 1 }, { id: 2 }] }, []],
    [{ id: { neq: 5 } }, []],
    [{ kind: 'boolean', column: 'paid', test: 'value' }, [{ index: 4, keys: ['t'], decides: true }]],
    [
      { kind: 'compare', column: 'id', operator: 'eq', constant: { text: '5', type: 'int8' } },
      [{ index: 0, keys: ['5'], decides: true }],
    ],
    [{ kind: 'compare', column: 'id', operator: 'eq', constant: { text: '5', type: 'numeric' } }, []],
    [
      { kind: 'compare', column: 'id', operator: 'eq', constant: { text: null, type: null } },
      [{ index: 0, keys: [], decides: true }],
    ],
  ])('%j', async (where, expected) => {
    const condition = conditionOf(where)
    expect(fixedColumns(condition, COLUMNS, await normalisedConstants(condition, COLUMNS, asWritten))).toEqual(expected)
  })
})
