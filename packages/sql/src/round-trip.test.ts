import type { Condition, Constant } from '@rowtap/core/conditions'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { parseCondition } from './parse-condition.ts'
import { printCondition } from './testing/print-condition.ts'

/** Objects as others write them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true })
}

const column = fc.oneof(fc.constantFrom('a', 'B', 'select', 'é 😀', 'a"b', '$1', 'x;--'))
const text = fc.string({ unit: fc.oneof(fc.constantFrom("'", '\\', '"', '$1', ';', '--', '/*', '\n'), fc.string()) })

const numbers: fc.Arbitrary<Constant> = fc.oneof(
  fc.integer().map((value): Constant => ({ text: String(value), type: 'int4' })),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((value): Constant => ({ text: String(value), type: 'int8' })),
  fc.double().map((value): Constant => ({ text: String(value), type: 'float8' })),
  fc.tuple(fc.bigInt(), fc.nat()).map(([whole, part]): Constant => ({ text: `${whole}.${part}`, type: 'numeric' })),
)
const untyped: fc.Arbitrary<Constant> = text
  .filter((one) => !/[\0\p{Surrogate}]/u.test(one))
  .map((one): Constant => ({ text: one, type: null }))
const constant = fc.oneof(untyped, numbers)

const comparison = fc.oneof(
  record({
    kind: fc.constant('compare' as const),
    column,
    operator: fc.constantFrom('eq', 'neq', 'lt', 'lte', 'gt', 'gte'),
    constant,
  }),
  record({
    kind: fc.constant('compare' as const),
    column,
    operator: fc.constantFrom('like', 'not like', 'ilike', 'not ilike'),
    constant: untyped,
  }),
  record({
    kind: fc.constant('compare' as const),
    column,
    operator: fc.constantFrom('is distinct from', 'is not distinct from'),
    constant,
  }),
)
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  comparison,
  record({
    kind: fc.constant('in' as const),
    column,
    negated: fc.boolean(),
    constants: fc.array(constant, { minLength: 1 }),
  }),
  record({
    kind: fc.constant('in' as const),
    column,
    negated: fc.constant(false),
    constants: fc.array(constant, { minLength: 1 }).map((some) => [...some, { text: null, type: null } as const]),
  }),
  record({ kind: fc.constant('between' as const), column, negated: fc.boolean(), low: constant, high: constant }),
  record({ kind: fc.constant('null' as const), column, negated: fc.boolean() }),
  record({
    kind: fc.constant('boolean' as const),
    column,
    test: fc.constantFrom(
      'value',
      'is true',
      'is not true',
      'is false',
      'is not false',
      'is unknown',
      'is not unknown',
    ),
  }),
  record({ kind: fc.constant('constant' as const), value: fc.constantFrom(true, false, null) }),
)

/** A list in a list of the same kind is one list: so are the parser's trees. */
const group = (kind: 'and' | 'or', of: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> =>
  fc
    .array(
      of.filter((part) => part.kind !== kind),
      { minLength: 2, maxLength: 4 },
    )
    .map((conditions): Condition => ({ kind, conditions }))

const { tree } = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    leaf,
    tie('tree').map((condition): Condition => ({ kind: 'not', condition })),
    group('and', tie('tree')),
    group('or', tie('tree')),
  ),
}))

test('a tree that is printed as SQL and parsed is the same tree', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (condition) => {
      assert.deepEqual(await parseCondition(printCondition(condition)), condition)
    }),
    { numRuns: 1_000 },
  )
})

test('a constant may be bound instead', async () => {
  await fc.assert(
    fc.asyncProperty(
      text.filter((one) => !/[\0\p{Surrogate}]/u.test(one)),
      async (value) => {
        const quoted = `'${value.replaceAll("'", "''")}'`
        assert.deepEqual(await parseCondition('a = $1', [value]), await parseCondition(`a = ${quoted}`))
      },
    ),
  )
})
