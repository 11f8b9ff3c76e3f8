import { describePostgres } from '@rowtap/driver-testkit/vitest'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { canonicalConnection, normaliseOver, textRows, typesOf } from './drawn-table.ts'
import { tupleOf } from '../../../core/src/testing/conditions/tuple-of.ts'
import type { Connection } from './drawn-table.ts'
import { SAMPLE_SETUP } from '../../../core/src/testing/conditions/type-samples.ts'
import { compileCondition } from '../../../core/src/conditions/compile-condition.ts'
import { conditionOf } from '../../../core/src/conditions/condition-of.ts'
import { normalisedConstants } from '../../../core/src/conditions/normalise-constants.ts'
import { toSql } from '../../../core/src/conditions/to-sql.ts'
import type { Verdict } from '../../../core/src/conditions/verdict.ts'

interface Case {
  readonly type: string
  readonly value: string | null
  readonly where: object
  readonly is: Verdict
}

const number = (text: string, type: string) => ({ text, type })
const comparison = (operator: string, constant: object) => ({ kind: 'compare', column: 'v', operator, constant })
const list = (...constants: readonly object[]) => ({ kind: 'in', column: 'v', negated: false, constants })

/** Where a plausible comparison would say something else than PostgreSQL. */
const CASES: readonly Case[] = [
  // Constants have the column's type without its length or precision.
  { type: 'varchar(3)', value: 'abc', where: { v: 'abcdef' }, is: false },
  { type: 'numeric(10,2)', value: '1.23', where: { v: '1.234' }, is: false },
  { type: 'char(3)', value: 'a', where: { v: 'a    ' }, is: true },
  { type: 'char(3)', value: 'a', where: { v: { like: 'a' } }, is: false },
  { type: 'char(3)', value: 'a', where: { v: { like: 'a  ' } }, is: true },
  { type: 'name', value: 'x'.repeat(63), where: { v: 'x'.repeat(70) }, is: true },
  { type: 'name', value: 'x'.repeat(63), where: { v: { like: 'x'.repeat(70) } }, is: false },
  { type: 'posint', value: '1', where: { v: { gt: -1 } }, is: true },
  // A number beside a real is compared in double precision; in a list of two and more it is not.
  { type: 'real', value: '0.1', where: { v: 0.1 }, is: true },
  { type: 'real', value: '0.1', where: comparison('eq', number('0.1', 'numeric')), is: false },
  { type: 'real', value: '0.1', where: list(number('0.1', 'numeric')), is: false },
  { type: 'real', value: '0.1', where: list(number('0.1', 'numeric'), number('7', 'int4')), is: true },
  { type: 'real', value: '0.1', where: list(number('0.1', 'float8'), number('7', 'int4')), is: false },
  { type: 'float8', value: '-0', where: { v: 0 }, is: true },
  { type: 'float8', value: '0', where: { v: '-0' }, is: true },
  { type: 'float4', value: '-0', where: { v: { lt: 0 } }, is: false },
  { type: 'float8', value: 'NaN', where: { v: { gte: Number.NaN } }, is: true },
  { type: 'float8', value: 'NaN', where: { v: { gt: Number.POSITIVE_INFINITY } }, is: true },
  { type: 'int8', value: '9007199254740993', where: comparison('eq', number('9007199254740992', 'float8')), is: true },
  { type: 'int8', value: '9007199254740993', where: { v: 9007199254740992n }, is: false },
  { type: 'int4', value: '1', where: list(number('1.0', 'numeric'), { text: '2.5', type: null }), is: true },
  { type: 'int4', value: '2', where: list({ text: '2', type: null }, { text: null, type: null }), is: true },
  { type: 'int4', value: '3', where: list({ text: '2', type: null }, { text: null, type: null }), is: null },
  { type: 'int4', value: '3', where: list({ text: null, type: null }), is: null },
  { type: 'int4', value: null, where: list(), is: false },
  { type: 'int4', value: null, where: { v: { isDistinctFrom: null } }, is: false },
  { type: 'int4', value: null, where: { not: { v: 1 } }, is: null },
  { type: 'oid', value: '4294967295', where: comparison('eq', number('-1', 'int4')), is: true },
  // cidr has no operators: one constant is an inet, several are cidr.
  { type: 'cidr', value: '10.0.0.0/8', where: { v: { gt: '10.0.0.1/8' } }, is: false },
  { type: 'cidr', value: '10.0.0.0/8', where: { v: { in: ['10', '11'] } }, is: true },
  { type: 'inet', value: '10.1.2.3/32', where: { v: '10.1.2.3' }, is: true },
  { type: 'interval', value: '1 mon', where: { v: '30 days' }, is: true },
  { type: 'timetz', value: '12:00+00', where: { v: '13:00+01' }, is: false },
  { type: 'time', value: '24:00', where: { v: { gt: '23:59:59.999999' } }, is: true },
  {
    type: 'timestamptz',
    value: '2024-01-01 00:00:00.123+00',
    where: { v: new Date('2024-01-01T00:00:00.123Z') },
    is: true,
  },
  {
    type: 'timestamptz',
    value: '2024-01-01 00:00:00.123456+00',
    where: { v: new Date('2024-01-01T00:00:00.123Z') },
    is: false,
  },
  { type: 'date', value: '2024-01-01', where: { v: new Date(2024, 0, 1) }, is: true },
  {
    type: 'timestamp',
    value: '2024-01-01 12:34:56.789',
    where: { v: new Date(2024, 0, 1, 12, 34, 56, 789) },
    is: true,
  },
  { type: 'date', value: '0044-03-15 BC', where: { v: { lt: '0043-01-01 BC' } }, is: true },
  { type: 'bytea', value: '\\x00ff', where: { v: Buffer.from([0, 255]) }, is: true },
  { type: 'bool', value: 'f', where: { v: { lt: true } }, is: true },
  // JavaScript arrays and objects become what the column holds.
  { type: 'text[]', value: '{"a,\\"b\\\\",NULL,"NULL",""}', where: { v: ['a,"b\\', null, 'NULL', ''] }, is: true },
  {
    type: 'numeric[]',
    value: '{{1.0,2},{3,4}}',
    where: {
      v: [
        [1, 2n],
        ['3.00', 4],
      ],
    },
    is: true,
  },
  { type: 'int8[]', value: '{9223372036854775807}', where: { v: [9223372036854775807n] }, is: true },
  { type: 'jsonb', value: '{"b": [1, 2.50], "a": null}', where: { v: { eq: { a: null, b: [1.0, 2.5] } } }, is: true },
  { type: 'jsonb', value: '[1, "x"]', where: { v: [1, 'x'] }, is: true },
  { type: 'jsonb', value: '[1]', where: { v: '1' }, is: false },
  { type: 'jsonb[]', value: '{"{\\"a\\": \\"}\\"}"}', where: { v: [{ a: '}' }] }, is: true },
  { type: 'jsonb', value: 'null', where: { v: null }, is: false },
  { type: 'int4[]', value: '[0:1]={1,2}', where: { v: [1, 2] }, is: false },
  { type: 'int4range', value: '[1,4]', where: { v: '[1,5)' }, is: true },
  { type: 'numrange', value: '[1,4]', where: { v: '[1,5)' }, is: false },
  { type: '"Odd mood"', value: 'meh', where: { v: { between: ['sad', 'ok'] } }, is: true },
]

describePostgres('conditions that are easily got wrong', (postgres) => {
  test('are in the process what they are in PostgreSQL', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SAMPLE_SETUP)
    const connection = await canonicalConnection(database)
    for (const { type, value, where, is } of CASES) {
      const told = `${type} ${value ?? 'NULL'}`
      await connection.query(`CREATE TEMP TABLE one (v ${type})`)
      await connection.query('INSERT INTO one VALUES ($1)', [value])
      const { sql, verdict } = await evaluated(connection, where)
      const [[answer] = []] = await textRows(connection, `SELECT ${sql} FROM one`)
      assert.equal(answer === null ? null : answer === 't', is, `${told}: ${sql} in PostgreSQL`)
      assert.equal(verdict, is, `${told}: ${sql} in the process`)
      await connection.query('DROP TABLE one')
    }
  })

  test.each([
    ['int4', { v: 'ten' }, 'invalid input syntax for type integer: "ten"'],
    ['int2', { v: 70_000 }, 'value "70000" is out of range for type smallint'],
    ['int4', { v: 1.5 }, 'invalid input syntax for type integer: "1.5"'],
    ['"Odd mood"', { v: { in: ['sad', 'mad'] } }, 'invalid input value for enum "Odd mood": "mad"'],
    ['float8', comparison('eq', number('1e400', 'numeric')), 'out of range for type double precision'],
    ['uuid', { v: 'x' }, 'invalid input syntax for type uuid'],
    ['int4[]', { v: '1' }, 'malformed array literal'],
    ['jsonb', { v: 'a' }, 'invalid input syntax for type json'],
  ])('a constant that does not fit %s is refused with the words of PostgreSQL', async (type, where, words) => {
    await using database = await postgres.createDatabase()
    await database.query(SAMPLE_SETUP)
    const connection = await canonicalConnection(database)
    await connection.query(`CREATE TEMP TABLE one (v ${type})`)
    await assert.rejects(evaluated(connection, where), (error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'ERR_INVALID_OPTIONS')
      assert.ok(error.message.includes(words), error.message)
      return true
    })
  })

  test('a constant that means now is read once, and is the same in SQL', async () => {
    await using database = await postgres.createDatabase()
    const connection = await canonicalConnection(database)
    await connection.query('CREATE TEMP TABLE one (v timestamptz)')
    const columns = await typesOf(connection, 'one')
    const condition = conditionOf({ v: { lt: 'now' } })
    const constants = await normalisedConstants(condition, columns, normaliseOver(connection))
    assert.match(toSql(condition, columns, constants), /^\("v" < '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\+00'\)$/u)
  })

  test('an error that is not a constant’s is not taken for one', async () => {
    await using database = await postgres.createDatabase()
    const connection = await canonicalConnection(database)
    const constant = { text: '1', castName: '"public"."nothing"', comparedAs: null }
    await assert.rejects(normaliseOver(connection)([constant]), { code: '42704' })
  })
})

async function evaluated(
  connection: Connection,
  where: object,
): Promise<{ readonly sql: string; readonly verdict: Verdict }> {
  const columns = await typesOf(connection, 'one')
  const condition = conditionOf(where)
  const constants = await normalisedConstants(condition, columns, normaliseOver(connection))
  const [row = []] = await textRows(connection, 'SELECT * FROM one')
  return {
    sql: toSql(condition, columns),
    verdict: compileCondition(condition, columns, constants).evaluate(tupleOf(row)),
  }
}
