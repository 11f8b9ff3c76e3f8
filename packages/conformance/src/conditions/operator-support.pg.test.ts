import { describePostgres } from '@rowtap/driver-testkit/vitest'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { canonicalConnection, normaliseOver, typesOf } from './drawn-table.ts'
import { tupleOf } from '../../../core/src/testing/conditions/tuple-of.ts'
import type { Connection } from './drawn-table.ts'
import { SAMPLE_SETUP, typeSamples } from '../../../core/src/testing/conditions/type-samples.ts'
import { compileCondition } from '../../../core/src/conditions/compile-condition.ts'
import type { ConditionColumn } from '../../../core/src/conditions/column-type.ts'
import type { Condition, NumberType } from '../../../core/src/conditions/condition.ts'
import { normalisedConstants } from '../../../core/src/conditions/normalise-constants.ts'
import type { ConditionOperator } from '../../../core/src/conditions/operator.ts'
import { OPERATORS } from '../../../core/src/conditions/operator.ts'
import { KNOWN_BASE_TYPES, operatorSupport } from '../../../core/src/conditions/operator-support.ts'
import { toSql } from '../../../core/src/conditions/to-sql.ts'

/** Types of which no value is compared in the process. */
const OTHERS = [
  'json',
  'xml',
  'point',
  'polygon',
  'jsonpath',
  'line',
  'xid',
  'cid',
  'money',
  'tid',
  'box',
  'circle',
  'lseg',
  'path',
  'tsvector',
  'tsquery',
  'pair',
  'json[]',
  'pair[]',
  'point[]',
  'text COLLATE "default"',
]

const NUMBERS: readonly NumberType[] = ['int4', 'int8', 'numeric', 'float8']

/** A value of every type, where the sample has none to offer. */
const VALUES: Readonly<Record<string, string>> = {
  json: '1',
  xml: '<a/>',
  point: '(1,2)',
  polygon: '((0,0),(1,1))',
  jsonpath: '$.a',
  line: '{1,2,3}',
  xid: '1',
  cid: '1',
  money: '1',
  tid: '(0,1)',
  box: '(1,1),(0,0)',
  circle: '<(0,0),1>',
  lseg: '[(0,0),(1,1)]',
  path: '[(0,0),(1,1)]',
  tsvector: 'a',
  tsquery: 'a',
  pair: '(1,a)',
  'json[]': '{1}',
  'pair[]': '{"(1,a)"}',
  'point[]': '{"(1,2)"}',
  'text COLLATE "default"': 'a',
}

/** Operators that take one plain constant, as any type's value. */
function conditionOf(column: string, operator: ConditionOperator, text: string, type: NumberType | null): Condition {
  const constant = { text, type }
  switch (operator) {
    case 'is null':
    case 'is not null':
      return { kind: 'null', column, negated: operator === 'is not null' }
    case 'boolean':
      return { kind: 'boolean', column, test: 'value' }
    case 'in':
    case 'not in':
      return { kind: 'in', column, negated: operator === 'not in', constants: [constant, constant] }
    case 'between':
    case 'not between':
      return { kind: 'between', column, negated: operator === 'not between', low: constant, high: constant }
    default:
      return { kind: 'compare', column, operator, constant }
  }
}

describePostgres('operators by type', (postgres) => {
  test(
    'what a type is said to lack PostgreSQL refuses, and what it is said to have PostgreSQL does',
    { timeout: 60_000 },
    async () => {
      await using database = await postgres.createDatabase()
      await database.query(SAMPLE_SETUP)
      const connection = await canonicalConnection(database)
      const types = [
        ...typeSamples(postgres.version).map(({ sql, values }) => [sql, values[0] ?? ''] as const),
        ...OTHERS.map((sql) => [sql, VALUES[sql] ?? ''] as const),
      ]
      const seen = new Set<string>()
      for (const [sql, value] of types) {
        await connection.query(`CREATE TEMP TABLE one (value ${sql})`)
        await connection.query('INSERT INTO one VALUES ($1)', [value])
        const columns = await typesOf(connection, 'one')
        if (columns[0]?.type.kind === 'base') seen.add(columns[0].type.name)
        for (const operator of Object.keys(OPERATORS) as ConditionOperator[]) {
          await checkOperator(connection, columns, operator, sql, value, null)
          for (const number of NUMBERS) await checkOperator(connection, columns, operator, sql, '1', number)
        }
        await connection.query('DROP TABLE one')
      }
      for (const sql of ['regclass', 'int2vector', 'pg_catalog.pg_snapshot', 'hstore']) {
        await connection.query(`CREATE TEMP TABLE one (value ${sql})`)
        const [column] = await typesOf(connection, 'one')
        assert.ok(column)
        for (const operator of Object.keys(OPERATORS) as ConditionOperator[]) {
          const { class: operatorClass } = OPERATORS[operator]
          if (operatorClass === 'null' || operatorClass === 'boolean') continue
          assert.equal(
            operatorSupport(column.type, operator).where,
            'database',
            `${sql} ${operator}: nothing is known of it`,
          )
        }
        await connection.query('DROP TABLE one')
      }
      assert.deepEqual(
        KNOWN_BASE_TYPES.filter((name) => !seen.has(name)),
        [],
      )
    },
  )
})

async function checkOperator(
  connection: Connection,
  columns: readonly ConditionColumn[],
  operator: ConditionOperator,
  sql: string,
  value: string,
  number: NumberType | null,
): Promise<void> {
  const [column] = columns
  assert.ok(column)
  const constantless = ['null', 'boolean'].includes(OPERATORS[operator].class)
  if (number !== null && constantless) return
  const support = operatorSupport(column.type, operator, number)
  const told = `${sql} ${operator} ${number ?? 'constant'}: ${support.reason}`
  const condition = conditionOf('value', operator, value, number)
  if (support.where === false) {
    // PostgreSQL takes a list of row types, though nothing else: that is not offered.
    if (column.type.kind === 'composite') return
    assert.throws(() => toSql(condition, columns), { code: 'ERR_INVALID_OPTIONS' }, told)
    await assert.rejects(connection.query(`SELECT ${rawSql(operator, value, number)} FROM one`), told)
    return
  }
  await assert.doesNotReject(connection.query(`SELECT ${toSql(condition, columns)} FROM one`), told)
  if (support.where === 'database') {
    const constants = await normalisedConstants(condition, columns, normaliseOver(connection))
    assert.throws(() => compileCondition(condition, columns, constants), { code: 'ERR_CAPABILITY_UNSUPPORTED' }, told)
    return
  }
  const constants = await normalisedConstants(condition, columns, normaliseOver(connection))
  const verdict = compileCondition(condition, columns, constants).evaluate(tupleOf([null]))
  const distinct = operator === 'is distinct from' || operator === 'is null'
  const never = operator === 'is not distinct from' || operator === 'is not null'
  assert.equal(verdict, distinct ? true : never ? false : null, told)
}

/** The condition in SQL for an operator that the type is said to lack: what `toSql` refuses to write. */
function rawSql(operator: ConditionOperator, value: string, number: NumberType | null): string {
  const literal = number === null ? `'${value}'` : `CAST('${value}' AS ${number})`
  switch (operator) {
    case 'in':
    case 'not in':
      return `value ${OPERATORS[operator].sql} (${literal}, ${literal})`
    case 'between':
    case 'not between':
      return `value ${OPERATORS[operator].sql} ${literal} AND ${literal}`
    case 'boolean':
      return '(NOT value)'
    default:
      return `value ${OPERATORS[operator].sql} ${literal}`
  }
}
