import { describe, expect, test } from 'vitest'
import { conditionOf } from './condition-of.ts'

const compare = (column: string, operator: string, text: string | null, type: string | null = null) => ({
  kind: 'compare',
  column,
  operator,
  constant: { text, type },
})

describe('the object form', () => {
  test.each([
    [{ status: 'paid' }, compare('status', 'eq', 'paid')],
    [{ note: null }, { kind: 'null', column: 'note', negated: false }],
    [{ note: { isNull: false } }, { kind: 'null', column: 'note', negated: true }],
    [{ id: 5n }, compare('id', 'eq', '5')],
    [{ big: 1e21 }, compare('big', 'eq', '1e+21')],
    [{ zero: -0 }, compare('zero', 'eq', '0')],
    [{ ratio: Number.NaN }, compare('ratio', 'eq', 'NaN')],
    [{ paid: true }, compare('paid', 'eq', 'true')],
    [{ data: Buffer.from('ab') }, compare('data', 'eq', '\\x6162')],
    [{ data: new Uint8Array([0, 255]).subarray(1) }, compare('data', 'eq', '\\xff')],
    [{ tags: ['a', null] }, compare('tags', 'eq', '["a",null]', 'json')],
    [{ doc: { eq: { a: [1.5, 10n] } } }, compare('doc', 'eq', '{"a":[1.5,10]}', 'json')],
    [
      { total: { gte: 100, lt: 200 } },
      { kind: 'and', conditions: [compare('total', 'gte', '100'), compare('total', 'lt', '200')] },
    ],
    [{ name: { notIlike: 'a%' } }, compare('name', 'not ilike', 'a%')],
    [
      { tag: { in: ['x', null] } },
      {
        kind: 'in',
        column: 'tag',
        negated: false,
        constants: [
          { text: 'x', type: null },
          { text: null, type: null },
        ],
      },
    ],
    [{ tag: { isDistinctFrom: null } }, compare('tag', 'is distinct from', null)],
    [{ tag: { notIn: [] } }, { kind: 'in', column: 'tag', negated: true, constants: [] }],
    [
      { n: { between: [1, 2] } },
      { kind: 'between', column: 'n', negated: false, low: { text: '1', type: null }, high: { text: '2', type: null } },
    ],
    [{}, { kind: 'and', conditions: [] }],
    [{ not: { a: 1 } }, { kind: 'not', condition: compare('a', 'eq', '1') }],
    [
      { a: 1, or: [{ b: 2 }, { kind: 'constant', value: null }] },
      {
        kind: 'and',
        conditions: [
          compare('a', 'eq', '1'),
          { kind: 'or', conditions: [compare('b', 'eq', '2'), { kind: 'constant', value: null }] },
        ],
      },
    ],
    [{ kind: 'paid' }, compare('kind', 'eq', 'paid')],
    [{ kind: 'and' }, compare('kind', 'eq', 'and')],
    [
      { kind: 'null', status: 'x' },
      { kind: 'and', conditions: [compare('kind', 'eq', 'null'), compare('status', 'eq', 'x')] },
    ],
    [
      { and: [{ kind: 'constant' }, { value: 'y' }] },
      { kind: 'and', conditions: [compare('kind', 'eq', 'constant'), compare('value', 'eq', 'y')] },
    ],
  ])('%o', (where, expected) => {
    expect(conditionOf(where)).toEqual(expected)
  })

  test('a Date keeps its instant, its milliseconds and its local day', () => {
    const condition = conditionOf({ at: new Date('2024-02-29T12:00:00.123Z') })
    expect(condition).toMatchObject({ kind: 'compare' })
    const text = 'constant' in condition ? condition.constant.text : null
    expect(text).toMatch(/^2024-0[23]-\d\d \d\d:\d\d:00\.123[+-]\d\d:\d\d:\d\d$/u)
    expect(new Date((text ?? '').replace(' ', 'T').replace(/:00$/u, '')).getTime()).toBe(
      Date.UTC(2024, 1, 29, 12, 0, 0, 123),
    )
  })

  test('a Date before Christ is written as PostgreSQL does', () => {
    const date = new Date(2000, 2, 15, 12)
    date.setFullYear(-43)
    expect(conditionOf({ at: date })).toMatchObject({
      constant: { text: expect.stringMatching(/^0044-03-15 12:00:00\.000[+-][\d:]+ BC$/u) },
    })
  })
})

describe('a tree', () => {
  test.each([
    { kind: 'and', conditions: [] },
    { kind: 'not', condition: { kind: 'null', column: 'a', negated: true } },
    { kind: 'compare', column: 'a', operator: 'lt', constant: { text: '1.5', type: 'numeric' } },
    { kind: 'in', column: 'a', negated: true, constants: [{ text: null, type: null }] },
    { kind: 'boolean', column: 'a', test: 'is not unknown' },
    { kind: 'constant', value: true },
  ])('is taken as it is: %o', (tree) => {
    expect(conditionOf(tree)).toEqual(tree)
  })
})

describe('what is no condition is refused in a sentence', () => {
  test.each([
    [undefined, `'where' takes an object`],
    ['a = 1', 'write sql`…` of @rowtap/sql'],
    [[], 'and not a list'],
    [{ or: [{ toCondition: () => null }] }, 'await its toCondition() first'],
    [{ a: undefined }, `'where' at "a" is undefined`],
    [{ a: { gt: undefined } }, `'where' at "a", gt, is undefined`],
    [{ a: { gtt: 1 } }, `'where' at "a" has no operator "gtt". Did you mean "gt"?`],
    [{ a: { greater: 1 } }, 'The operators are eq, neq, lt, lte, gt, gte, in, notIn, isNull, like,'],
    [{ a: { x: 1 } }, 'a value that is an object is written { eq: … }'],
    [{ a: {} }, 'has no operator'],
    [{ a: { eq: null } }, 'write { isNull: true }'],
    [
      { a: { in: [null, null] } },
      'has nothing but null in its list, to which no value is equal: write { isNull: true }',
    ],
    [{ a: { notIn: [1, null] } }, 'has null in its list, and so is true of no row'],
    [new Map(), `'where' takes an object of columns and what they must be, and not an instance of Map.`],
    [{ not: new URL('postgres://db') }, 'and not an instance of URL'],
    [{ a: { in: 1 } }, 'takes a list of values'],
    [
      { a: { notIn: [1, undefined] } },
      `'where' at "a", notIn[1], is undefined: give it a value, or leave that part out.`,
    ],
    [{ a: { between: [1, () => 1] } }, `'where' at "a", between[1], is a function`],
    [{ a: { between: [1] } }, 'a list of two values'],
    [{ a: { like: 1 } }, 'takes a pattern'],
    [{ a: { isNull: 'yes' } }, 'takes true or false'],
    [{ or: { a: 1 } }, `'where' at "or" takes a list of conditions, and not an object`],
    [{ and: 'x' }, `A column "and" is reached with { kind: 'compare', column: "and", … }`],
    [{ or: [{ a: 1 }, 'x'] }, `'where' at "or"[1] takes an object of columns`],
    [{ not: [] }, `'where' at "not" takes one condition, and not a list`],
    [{ not: null }, `'where' at "not" takes one condition, and not null`],
    [{ not: 'x' }, `A column "not" is reached with`],
    [{ a: 'x\0' }, 'NUL'],
    [{ a: '\uD800' }, 'surrogate'],
    [{ a: new Date(Number.NaN) }, 'invalid Date'],
    [{ a: [Number.NaN] }, 'JSON has no form'],
    [{ a: new Map() }, 'is an instance of Map, which is no value of a column'],
    [{ a: Symbol('x') }, 'a symbol'],
    [{ kind: 'compare', column: 'a', operator: 'equals', constant: { text: '1', type: null } }, 'eq, neq'],
    [{ kind: 'compare', column: 'a', operator: 'eq', constant: '1' }, 'not { text, type }'],
    [{ kind: 'and', conditions: [{ kind: 'compare' }] }, 'whose members are column, operator, constant'],
    [{ kind: 'not', condition: 1 }, 'and not a number'],
    [{ kind: 'and', conditions: 'x' }, 'takes a list of conditions, and not a string'],
    [{ kind: 'and', conditions: ['x'] }, `'where', and[0], takes a condition tree, and not a string`],
    [{ kind: 'compare', column: 'a', operator: 'eq' }, 'lacks its member constant'],
    [{ kind: 'not', conditions: [] }, 'lacks its member condition and has conditions'],
    [{ kind: 'null', column: 'a' }, 'whose members are column, negated'],
    [{ kind: 'in', column: 'a', negated: false, constants: [], value: 1 }, 'has value, which it does not know'],
    [{ or: [{ kind: 'between', column: 'a', low: 1 }] }, 'write each column in an object of its own'],
    [{ kind: 'and', conditions: [{ kind: 'nott', condition: {} }] }, 'Did you mean "not"?'],
    [{ kind: 'compare', column: 'a', operator: 'equals', constant: { text: '1', type: null } }, 'no operator "equals"'],
    [{ kind: 'boolean', column: 'a', test: 'is tru' }, 'Did you mean "is true"?'],
    [{ kind: 'in', column: '', negated: false, constants: [] }, `no column's name`],
  ])('%o', (where, sentence) => {
    expect(() => conditionOf(where)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTIONS', message: expect.stringContaining(sentence) }),
    )
  })
})

test('what is nested too deeply, or contains itself, is refused in a sentence', () => {
  let deep: object = { id: 1 }
  for (let level = 0; level < 20_000; level += 1) deep = { not: deep }
  const round: { not?: object } = {}
  round.not = round
  for (const where of [deep, round]) {
    expect(() => conditionOf(where)).toThrow(`'where' is nested more than 200 levels deep.`)
  }
  const twice: { and?: object[] } = {}
  twice.and = [twice, twice]
  expect(() => conditionOf(twice)).toThrow('see that it does not contain itself')
  const json: unknown[] = []
  json.push(json)
  expect(() => conditionOf({ doc: { eq: json } })).toThrow('see that it does not contain itself')
})

const WRAPPINGS: Readonly<Record<string, (part: object, level: number) => object>> = {
  not: (part) => ({ not: part }),
  or: (part) => ({ or: [part] }),
  'and of a tree': (part) => ({ kind: 'and', conditions: [part] }),
  'not of a tree': (part) => ({ kind: 'not', condition: part }),
  'and, or and not': (part, level) => [{ and: [part] }, { or: [part] }, { not: part }][level % 3] ?? part,
}

test.each(Object.entries(WRAPPINGS))('200 levels of %s and no more', (_, wrap) => {
  const leaf = { kind: 'compare', column: 'a', operator: 'lt', constant: { text: '1', type: null } }
  const nested = (levels: number): object =>
    Array.from({ length: levels }, (_level, index) => index).reduce<object>((part, level) => wrap(part, level), leaf)
  expect(() => conditionOf(nested(200))).not.toThrow()
  expect(() => conditionOf(nested(201))).toThrow(`'where' is nested more than 200 levels deep.`)
})

test('columns side by side are a level, and so are operators on one column', () => {
  const nested = (leaf: object): object => Array.from({ length: 200 }).reduce<object>((part) => ({ not: part }), leaf)
  expect(() => conditionOf(nested({ a: 1 }))).not.toThrow()
  for (const leaf of [{ a: 1, b: 2 }, { a: { gt: 1, lt: 2 } }]) {
    expect(() => conditionOf(nested(leaf))).toThrow('more than 200 levels deep')
  }
})
