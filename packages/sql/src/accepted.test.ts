import type { Condition, Constant, ConstantType } from '@rowtap/core/conditions'
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { parseCondition } from './parse-condition.ts'
import { COLUMN_SAMPLES, SAMPLE_COLUMNS } from './testing/column-samples.ts'

const c = (text: string | null, type: ConstantType | null = null): Constant => ({ text, type })
const is = (column: string): Condition => ({ kind: 'boolean', column, test: 'value' })
const not = (condition: Condition): Condition => ({ kind: 'not', condition })
const and = (...conditions: Condition[]): Condition => ({ kind: 'and', conditions })
const or = (...conditions: Condition[]): Condition => ({ kind: 'or', conditions })
type Compare = Extract<Condition, { readonly kind: 'compare' }>
const compare = (column: string, operator: Compare['operator'], constant: Constant): Condition => {
  return { kind: 'compare', column, operator, constant }
}
const eq = (column: string, text: string | null, type: ConstantType | null = null): Condition =>
  compare(column, 'eq', c(text, type))
const list = (column: string, negated: boolean, ...constants: Constant[]): Condition => {
  return { kind: 'in', column, negated, constants }
}
const between = (column: string, negated: boolean, low: Constant, high: Constant): Condition => {
  return { kind: 'between', column, negated, low, high }
}

const TABLE: Readonly<Record<string, Readonly<Record<string, Condition>>>> = {
  comparisons: {
    'a = 1': eq('a', '1', 'int4'),
    '1 = a': eq('a', '1', 'int4'),
    "a <> 'x'": compare('a', 'neq', c('x')),
    "a != 'x'": compare('a', 'neq', c('x')),
    'a < 1': compare('a', 'lt', c('1', 'int4')),
    '1 < a': compare('a', 'gt', c('1', 'int4')),
    '1 <= a': compare('a', 'gte', c('1', 'int4')),
    '1 > a': compare('a', 'lt', c('1', 'int4')),
    '1 >= a': compare('a', 'lte', c('1', 'int4')),
    "'x' <> a": compare('a', 'neq', c('x')),
    "a is distinct from 'x'": compare('a', 'is distinct from', c('x')),
    "'x' is not distinct from a": compare('a', 'is not distinct from', c('x')),
    'a is distinct from null': { kind: 'null', column: 'a', negated: true },
    'a is not distinct from null': { kind: 'null', column: 'a', negated: false },
  },
  names: {
    'A = 1': eq('a', '1', 'int4'),
    '"A b" = 1': eq('A b', '1', 'int4'),
    '"say ""a""" = 1': eq('say "a"', '1', 'int4'),
    'é = 1': eq('é', '1', 'int4'),
    '"select" = 1': eq('select', '1', 'int4'),
    '/* a */ ((a)) = 1 -- b': eq('a', '1', 'int4'),
  },
  numbers: {
    'a = 0': eq('a', '0', 'int4'),
    'a = -0': eq('a', '0', 'int4'),
    'a = -5': eq('a', '-5', 'int4'),
    'a = - /* x */ 007': eq('a', '-7', 'int4'),
    'a = -(7) or a = 8': or(eq('a', '-7', 'int4'), eq('a', '8', 'int4')),
    'a = - - 5': eq('a', '5', 'int4'),
    'a = - - 0': eq('a', '0', 'int4'),
    'a = +5': eq('a', '5', 'int4'),
    'a = 0xFF': eq('a', '255', 'int4'),
    'a = -0x10': eq('a', '-16', 'int4'),
    'a = 0xFFFFFFFFFF': eq('a', '1099511627775', 'int8'),
    'a = 1_000': eq('a', '1000', 'int4'),
    'a = -1_000': eq('a', '-1000', 'int4'),
    'a = 2147483647': eq('a', '2147483647', 'int4'),
    'a = 2147483648': eq('a', '2147483648', 'int8'),
    'a = -2147483648': eq('a', '-2147483648', 'int4'),
    'a = 9223372036854775807': eq('a', '9223372036854775807', 'int8'),
    'a = 9223372036854775808': eq('a', '9223372036854775808', 'numeric'),
    'a = 1.50': eq('a', '1.50', 'numeric'),
    'a = -1e3': eq('a', '-1e3', 'numeric'),
    'a = 1_0.5': eq('a', '10.5', 'numeric'),
  },
  texts: {
    "a = ''": eq('a', ''),
    "a = 'it''s'": eq('a', "it's"),
    "a = '\\n'": eq('a', '\\n'),
    "a = E'\\n'": eq('a', '\n'),
    "a = U&'\\0441'": eq('a', 'с'),
    'a = $$b$$': eq('a', 'b'),
    "a = '😀' and é = -5": and(eq('a', '😀'), eq('é', '-5', 'int4')),
  },
  patterns: {
    "a like 'x%'": compare('a', 'like', c('x%')),
    "a not like 'x%'": compare('a', 'not like', c('x%')),
    "a ilike 'x%'": compare('a', 'ilike', c('x%')),
    "a not ilike 'x%'": compare('a', 'not ilike', c('x%')),
    "a ~~ 'x%'": compare('a', 'like', c('x%')),
    "a like '10!%!!%' escape '!'": compare('a', 'like', c('10\\%\\!%')),
    "a like 'a\\b' escape '!'": compare('a', 'like', c('a\\\\b')),
    "a like 'a\\%' escape ''": compare('a', 'like', c('a\\\\%')),
    "a like 'a\\%' escape '\\'": compare('a', 'like', c('a\\%')),
  },
  lists: {
    'a in (1, 2.5, null)': list('a', false, c('1', 'int4'), c('2.5', 'numeric'), c(null)),
    "a not in ('x')": list('a', true, c('x')),
    'a in (true, false)': or(is('a'), not(is('a'))),
    'a = any (array[1, 2.5])': or(eq('a', '1', 'numeric'), eq('a', '2.5', 'numeric')),
    'a <> any (array[1, null])': or(compare('a', 'neq', c('1', 'int4')), compare('a', 'neq', c(null))),
    "a in (null, 'x')": list('a', false, c(null), c('x')),
    'a in (true, null)': or(is('a'), eq('a', null)),
    'a > any (array[1, 3000000000])': or(
      compare('a', 'gt', c('1', 'int8')),
      compare('a', 'gt', c('3000000000', 'int8')),
    ),
    'a = any (array[]::int[])': list('a', false),
    "a = any (array['1', '2']::int[])": or(eq('a', '1', 'int4'), eq('a', '2', 'int4')),
  },
  ranges: {
    'a between 1 and 2': between('a', false, c('1', 'int4'), c('2', 'int4')),
    "a not between 'x' and null": between('a', true, c('x'), c(null)),
    'a not between true and null': or(not(is('a')), compare('a', 'gt', c(null))),
    "a between symmetric 'x' and 'y'": or(between('a', false, c('x'), c('y')), between('a', false, c('y'), c('x'))),
    "a not between symmetric 'x' and 'y'": and(between('a', true, c('x'), c('y')), between('a', true, c('y'), c('x'))),
    '5 between a and b': and(compare('a', 'lte', c('5', 'int4')), compare('b', 'gte', c('5', 'int4'))),
    '5 not between a and b': or(compare('a', 'gt', c('5', 'int4')), compare('b', 'lt', c('5', 'int4'))),
  },
  booleans: {
    a: is('a'),
    'not a': not(is('a')),
    'a is true': { kind: 'boolean', column: 'a', test: 'is true' },
    'a is not unknown': { kind: 'boolean', column: 'a', test: 'is not unknown' },
    'a = true': is('a'),
    'a <> true': not(is('a')),
    'false < a': is('a'),
    'a >= false': or(is('a'), not(is('a'))),
    'a is distinct from true': { kind: 'boolean', column: 'a', test: 'is not true' },
    'true or false or null': or(
      { kind: 'constant', value: true },
      { kind: 'constant', value: false },
      { kind: 'constant', value: null },
    ),
  },
  nulls: {
    'a is null': { kind: 'null', column: 'a', negated: false },
    'a notnull': { kind: 'null', column: 'a', negated: true },
  },
  groups: {
    'a and b and c': and(is('a'), is('b'), is('c')),
    '(a and b) and (c and d)': and(is('a'), is('b'), is('c'), is('d')),
    'a and (b or not c)': and(is('a'), or(is('b'), not(is('c')))),
    'a or b and c': or(is('a'), and(is('b'), is('c'))),
  },
  'casts to numbers': {
    "a = '5'::int": eq('a', '5', 'int4'),
    'a = -5::bigint': eq('a', '-5', 'int8'),
    "a = cast('1.50' as numeric)": eq('a', '1.50', 'numeric'),
    "a = 'NaN'::float8": eq('a', 'NaN', 'float8'),
    'a = 7::smallint': eq('a', '7', 'int4'),
  },
}

for (const [group, cases] of Object.entries(TABLE)) {
  describe(`SQL text: ${group}`, () => {
    test.each(Object.entries(cases))('%s', async (text, expected) => {
      assert.deepEqual(await parseCondition(text), expected)
    })
  })
}

test('a quoted constant may be cast to its column’s type', async () => {
  const accepted: readonly (readonly [string, Condition])[] = [
    ["d = '2024-01-01'::date", eq('d', '2024-01-01')],
    ["d >= date '2024-01-01'", compare('d', 'gte', c('2024-01-01'))],
    ["u in ('x'::uuid, cast('y' as pg_catalog.uuid))", list('u', false, c('x'), c('y'))],
    ["t = 'x'::varchar", eq('t', 'x')],
    ["v = 'x'::text", eq('v', 'x')],
    ["t = any (array['x', null])", list('t', false, c('x'), c(null))],
    ["d = any (array['2024-01-01']::date[])", list('d', false, c('2024-01-01'))],
  ]
  for (const [text, expected] of accepted) assert.deepEqual(await parseCondition(text, [], SAMPLE_COLUMNS), expected)
  assert.equal(COLUMN_SAMPLES.length, SAMPLE_COLUMNS.length)
})

test('the cast to an enumeration is known by its name, with its schema or without', async () => {
  const type = {
    kind: 'enum',
    labels: ['a'],
    labelIds: ['1'],
    castName: '"my app"."mood"',
    displayName: 'mood',
  } as const
  for (const cast of ['mood', '"my app".mood']) {
    assert.deepEqual(await parseCondition(`m = 'a'::${cast}`, [], [{ name: 'm', type }]), eq('m', 'a'))
  }
})
