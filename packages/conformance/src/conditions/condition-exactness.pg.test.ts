import { describePostgres } from '@rowtap/driver-testkit/vitest'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { conditionOn, valueOf } from '../../../core/src/testing/conditions/condition-arbitraries.ts'
import type { DrawnColumn } from '../../../core/src/testing/conditions/condition-arbitraries.ts'
import type { Connection, TextRow } from './drawn-table.ts'
import { tupleOf } from '../../../core/src/testing/conditions/tuple-of.ts'
import { canonicalConnection, insertStatement, normaliseOver, textRows, typesOf } from './drawn-table.ts'
import type { TypeSample } from '../../../core/src/testing/conditions/type-samples.ts'
import { SAMPLE_SETUP, typeSamples } from '../../../core/src/testing/conditions/type-samples.ts'
import { compileCondition } from '../../../core/src/conditions/compile-condition.ts'
import type { Condition } from '../../../core/src/conditions/condition.ts'
import { keyFunction, orderFunction } from '../../../core/src/conditions/index-key.ts'
import { normalisedConstants } from '../../../core/src/conditions/normalise-constants.ts'
import { toSql } from '../../../core/src/conditions/to-sql.ts'
import type { Verdict } from '../../../core/src/conditions/verdict.ts'

const RUNS = 150
const ROWS = 12
const CONDITIONS = 14

describePostgres('conditions', (postgres) => {
  test(
    'at least 20,000 random conditions on rows are in the process what they are in PostgreSQL',
    { timeout: 120_000 },
    async () => {
      await using database = await postgres.createDatabase()
      await database.query(SAMPLE_SETUP)
      const connection = await canonicalConnection(database)
      const samples = typeSamples(postgres.version)
      // One column of each type: what is known of the types is read once.
      const definitions = samples.map((sample, index) => `c${index} ${sample.sql}`)
      await connection.query(`CREATE TABLE everything (${definitions.join(', ')})`)
      const known = await typesOf(connection, 'everything')
      const all = known.map((column, index): DrawnColumn => ({ ...column, sample: sampleAt(samples, index) }))
      let pairs = 0

      const drawn = fc
        .uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 5, selector: (column) => column.name })
        .chain((columns) =>
          fc.record({
            columns: fc.constant(columns),
            rows: fc.array(fc.tuple(...columns.map((column) => fc.option(valueOf(column.sample), { freq: 8 }))), {
              minLength: ROWS,
              maxLength: ROWS,
              size: 'max',
            }),
            conditions: fc.array(conditionOn(columns), { minLength: CONDITIONS, maxLength: CONDITIONS, size: 'max' }),
            notSent: fc.constantFrom(...columns.keys()),
          }),
        )

      await fc.assert(
        fc.asyncProperty(drawn, async ({ columns, rows, conditions, notSent }) => {
          await withTable(connection, columns, rows, async (printed) => {
            for (const judged of await judge(connection, columns, conditions)) {
              for (const [at, row] of printed.entries()) {
                const verdict = judged.compiled.evaluate(tupleOf(row))
                const told = () => `${JSON.stringify(row)}: ${judged.sql}`
                assert.equal(verdict, judged.verdicts[at], `${told()} as written`)
                assert.equal(verdict, judged.normalisedVerdicts[at], `${told()} with normalised constants`)
                assert.equal(judged.compiled.isTrue(tupleOf(row)), verdict === true, told())
                assertConsistent(judged.compiled.evaluate(tupleOf(row, (index) => index !== notSent)), verdict, told)
                pairs++
              }
            }
          })
        }),
        { numRuns: RUNS },
      )
      assert.ok(pairs >= 20_000, `${pairs} pairs`)
    },
  )

  test('keys and orders are those of PostgreSQL for every pair of the sample values', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SAMPLE_SETUP)
    const connection = await canonicalConnection(database)
    let compared = 0
    for (const sample of typeSamples(postgres.version)) {
      await connection.query(`CREATE TEMP TABLE one (value ${sample.sql})`)
      await connection.query(
        insertStatement(
          'one',
          sample.values.map((value) => [value]),
        ),
      )
      const [column] = await typesOf(connection, 'one')
      assert.ok(column)
      const key = keyFunction(column.type)
      const order = orderFunction(column.type)
      if (key !== null) {
        const less = order === null ? 'NULL' : 'l.value < r.value'
        const pairs = await textRows(
          connection,
          `SELECT l.value, r.value, l.value = r.value, ${less} FROM one AS l, one AS r`,
        )
        for (const [left, right, equal, isLess] of pairs) {
          assert.ok(typeof left === 'string' && typeof right === 'string')
          const told = `${sample.sql}: ${left} and ${right}`
          assert.equal(key(left) === key(right), equal === 't', told)
          if (order !== null)
            assert.equal(Math.sign(order(left, right)), equal === 't' ? 0 : isLess === 't' ? -1 : 1, told)
          compared++
        }
      }
      await connection.query('DROP TABLE one')
    }
    assert.ok(compared > 5_000, `${compared} pairs`)
  })
})

interface Judged {
  readonly sql: string
  readonly compiled: ReturnType<typeof compileCondition>
  readonly verdicts: readonly Verdict[]
  readonly normalisedVerdicts: readonly Verdict[]
}

/** What PostgreSQL says of conditions for the rows of the table `drawn`. */
async function judge(
  connection: Connection,
  columns: readonly DrawnColumn[],
  conditions: readonly Condition[],
): Promise<readonly Judged[]> {
  const known = await typesOf(connection, 'drawn')
  assert.deepEqual(
    known,
    columns.map(({ name, type }) => ({ name, type })),
  )
  const prepared: { sql: string; normalised: string; compiled: Judged['compiled'] }[] = []
  for (const condition of conditions) {
    const constants = await normalisedConstants(condition, known, normaliseOver(connection))
    prepared.push({
      sql: toSql(condition, known),
      normalised: toSql(condition, known, constants),
      compiled: compileCondition(condition, known, constants),
    })
  }
  const expressions = prepared.flatMap(({ sql, normalised }) => [sql, normalised])
  const answers = await textRows(connection, `SELECT ${expressions.join(',\n')} FROM drawn ORDER BY ctid`)
  const at = (index: number): readonly Verdict[] =>
    answers.map((row) => (row[index] === null ? null : row[index] === 't'))
  return prepared.map(({ sql, compiled }, index) => ({
    sql,
    compiled,
    verdicts: at(index * 2),
    normalisedVerdicts: at(index * 2 + 1),
  }))
}

async function withTable(
  connection: Connection,
  columns: readonly DrawnColumn[],
  rows: readonly TextRow[],
  use: (printed: readonly TextRow[]) => Promise<void>,
): Promise<void> {
  const definitions = columns.map((column) => `${column.name} ${column.sample.sql}`)
  await connection.query(`CREATE TEMP TABLE drawn (${definitions.join(', ')})`)
  try {
    await connection.query(insertStatement('drawn', rows))
    await use(await textRows(connection, 'SELECT * FROM drawn ORDER BY ctid'))
  } finally {
    await connection.query('DROP TABLE drawn')
  }
}

/** A verdict without one of the values says nothing that the value could prove wrong. */
function assertConsistent(without: Verdict, verdict: Verdict, told: () => string): void {
  if (without !== 'unavailable') assert.equal(without, verdict, `${told()} without a value`)
}

function sampleAt(samples: readonly TypeSample[], index: number): TypeSample {
  const sample = samples[index]
  assert.ok(sample)
  return sample
}
