import { RowtapError } from '@rowtap/core'
import type { Condition } from '@rowtap/core/conditions'
import { isConditionSource } from '@rowtap/core/conditions'
import assert from 'node:assert/strict'
import { describe, expect, test } from 'vitest'
import { parseCondition } from './parse-condition.ts'
import { sql } from './sql.ts'
import { refusalOf } from './testing/refused.ts'

function compared(text: string | null, type: 'int4' | 'json' | null = null): Condition {
  return { kind: 'compare', column: 'a', operator: 'eq', constant: { text, type } }
}

test('a condition is a value that core recognises by its shape', () => {
  const condition = sql`status = ${'paid'} and total >= 100`
  assert.ok(isConditionSource(condition))
  assert.equal(condition.text, 'status = $1 and total >= 100')
  assert.deepEqual(condition.values, ['paid'])
  assert.ok(Object.isFrozen(condition) && Object.isFrozen(condition.values))
})

describe('a bound value is a constant of the column’s type', () => {
  test.each<readonly [string, unknown, Condition]>([
    ['string', "x' or 1=1 --", compared("x' or 1=1 --")],
    ['number', 1.5, compared('1.5')],
    ['bigint', 9007199254740993n, compared('9007199254740993')],
    ['boolean', true, compared('true')],
    ['bytes', Buffer.from('hi'), compared('\\x6869')],
    ['array', ['x', null], compared('["x",null]', 'json')],
    ['object', { x: 1n }, compared('{"x":1}', 'json')],
  ])('%s', async (_, value, expected) => {
    assert.deepEqual(await sql`a = ${value}`.toCondition(), expected)
    assert.deepEqual(await sql`${value} = a`.toCondition(), expected)
    assert.deepEqual(await parseCondition('a = $1', [value]), expected)
  })
})

test('a Date is local time with its offset', async () => {
  const condition = await sql`a = ${new Date('2024-01-01T00:00:00.5Z')}`.toCondition()
  assert.ok(condition.kind === 'compare' && condition.constant.text !== null)
  assert.equal(new Date(condition.constant.text.replace(/:00$/u, '')).getTime(), 1_704_067_200_500)
})

test('a bound list stands for its elements', async () => {
  const list = (negated: boolean, ...texts: (string | null)[]): Condition => {
    return { kind: 'in', column: 'a', negated, constants: texts.map((text) => ({ text, type: null })) }
  }
  assert.deepEqual(await sql`a in (${[1, null, 'x']})`.toCondition(), list(false, '1', null, 'x'))
  assert.deepEqual(await sql`a not in (${['x']}, ${'y'})`.toCondition(), list(true, 'x', 'y'))
  assert.deepEqual(await sql`a in (${[]})`.toCondition(), list(false))
  assert.deepEqual(await sql`a = any(${[1, 2]})`.toCondition(), list(false, '1', '2'))
  assert.deepEqual(await sql`a <> all(${[]})`.toCondition(), list(true))
  assert.deepEqual(await sql`a = any(${[5]}::int[])`.toCondition(), { kind: 'or', conditions: [compared('5', 'int4')] })
})

test('a backslash is a backslash, as in SQL', async () => {
  const condition = sql`a = '10\%\n\`\${x}$'`
  assert.equal(condition.text, "a = '10\\%\\n`${x}$'")
  assert.deepEqual(await condition.toCondition(), compared('10\\%\\n`${x}$'))
})

test('TRUE, FALSE and NULL may be bound', async () => {
  const constant = (value: boolean | null): Condition => ({ kind: 'constant', value })
  const conditions = [constant(true), constant(false), constant(null)]
  assert.deepEqual(await sql`${true} or ${false} or ${null}`.toCondition(), { kind: 'or', conditions })
})

describe('refused, with the place', () => {
  test.each([
    [sql`a = ${undefined}`, 4, /The value of \$1 is undefined/u],
    [sql`a = ${null}`, 4, /^A comparison with NULL is true of no row: ask with IS NULL/u],
    [sql`${null} <> a`, 0, /ask with IS NOT NULL/u],
    [sql`a = any (${null})`, 9, /is true of no row/u],
    [sql`a not in (${[1, null]})`, 10, /^NOT IN with a NULL among its values is true of no row/u],
    [sql`a in (${[null]})`, 6, /ask with IS NULL/u],
    [sql`a = ${() => 1}`, 4, /a function/u],
    [sql`a = ${new Date(Number.NaN)}`, 4, /invalid Date/u],
    [sql`a = ${'\0'}`, 4, /NUL/u],
    [sql`a = ${1} and ${sql`b`}`, 11, /a condition, which cannot be bound/u],
    [sql`a in (${[1, undefined]})`, 6, /The value of \$1\[1\] is undefined/u],
    [sql`a = '${1}'`, 5, /not used: inside quotes/u],
    [sql`a = "${1}"`, 4, /not with another column/u],
    [sql`a = 1 /* ${1} */`, 9, /not used/u],
    [sql`a = b${1}`, 4, /not with another column/u],
    [sql`a = $1 and b = ${2}`, 4, /bound with \$\{…\}/u],
    [sql`a = ${1}0`, 4, /no value for \$10/u],
    [sql`a = 1${2}`, 5, /syntax error/u],
    [sql`${'a'} = 1`, 0, /two constants/u],
    [sql`${5}`, 0, /no condition by itself/u],
    [sql`a = - ${5}`, 4, /operator -/u],
    [sql`a = ${1.5}::int`, 8, /cast to int4/u],
    [sql`a like ${5}::int`, 7, /in quotes/u],
  ])('%o', async (condition, offset, sentence) => {
    const refusal = await refusalOf(condition.toCondition())
    expect(refusal.sentence).toMatch(sentence)
    expect(refusal.cause).toMatchObject({ text: condition.text, offset })
  })
})

test('a value that is not used is refused in a text, too', async () => {
  expect((await refusalOf(parseCondition('a = $1', [1, 2]))).sentence).toMatch(/The value of \$2 is not used/u)
})

test('called as a function it says what to do', () => {
  assert.throws(
    // @ts-expect-error: a string is no template
    () => sql('a = 1'),
    (error: unknown) => RowtapError.is(error, 'ERR_INVALID_OPTIONS') && error.message.includes('parseCondition(text)'),
  )
})
