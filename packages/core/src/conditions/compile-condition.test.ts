import { describe, expect, test } from 'vitest'
import type { Collation, ColumnType } from './column-type.ts'
import { compileCondition } from './compile-condition.ts'
import { conditionOf } from './condition-of.ts'
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
]

/** Constants here are written as they are printed. */
const asWritten = (constants: readonly { readonly text: string }[]) =>
  Promise.resolve(constants.map(({ text }) => ({ text })))

async function compiled(where: unknown) {
  const condition = conditionOf(where)
  return compileCondition(condition, COLUMNS, await normalisedConstants(condition, COLUMNS, asWritten))
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
    [{ ident: 1 }, 'ERR_INVALID_OPTIONS', 'no column "ident"'],
    [{ idd: 1 }, 'ERR_INVALID_OPTIONS', 'Did you mean "id"?'],
    [{ id: { like: '1%' } }, 'ERR_INVALID_OPTIONS', 'no such operator for the type int4'],
    [{ doc: { eq: {} } }, 'ERR_INVALID_OPTIONS', 'json'],
    [{ id: [1] }, 'ERR_INVALID_OPTIONS', 'with an array or object'],
    [{ note: { like: 'a\\' } }, 'ERR_INVALID_OPTIONS', 'must not end with its escape character'],
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

  test('equality is exact under every deterministic collation', async () => {
    expect((await compiled({ city: 'Köln' })).evaluate(tupleOf([null, null, 'Köln']))).toBe(true)
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
