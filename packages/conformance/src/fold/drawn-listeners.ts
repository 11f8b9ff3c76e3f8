import type { Condition } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { quoteIdentifier } from '@rowtap/core'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { quoteLiteral, toSql } from '../../../core/src/conditions/to-sql.ts'
import type { DrawnColumn } from '../../../core/src/testing/conditions/condition-arbitraries.ts'
import { conditionOn, valueOf } from '../../../core/src/testing/conditions/condition-arbitraries.ts'
import type { TypeSample } from '../../../core/src/testing/conditions/type-samples.ts'
import { SAMPLE_SETUP, typeSamples } from '../../../core/src/testing/conditions/type-samples.ts'
import type { Connection } from '../conditions/drawn-table.ts'
import { canonicalConnection, textRows, typesOf } from '../conditions/drawn-table.ts'
import type { WrittenColumn } from './random-writes.ts'

/** The table of the drawn listeners. */
export const DRAWN_TABLE = 'public.drawn'

/** A wish that was drawn at random. */
export interface DrawnListener {
  readonly condition: Condition
  /** The condition as PostgreSQL judges it. */
  readonly sql: string
  readonly columns: readonly string[]
}

/** A table that was drawn at random, what to write into it, and who listens. */
export interface Drawn {
  readonly columns: readonly WrittenColumn[]
  readonly listeners: readonly DrawnListener[]
}

/** Columns whose types are drawn; there are three more. */
const DRAWN_COLUMNS = 8
/** Few for each column, so that values and conditions meet. */
const VALUES = 24
/** Of these the listeners' conditions are chosen. */
const CONDITIONS = 400
/** Rows by which they are chosen. */
const ROWS = 60
/** Listeners whose condition need not be true of any row. */
const ANY_CONDITION = 5

const ID: TypeSample = { sql: 'int4', values: ['1', '10', '20', '30', '40', '50', '1000', '1030'] }
/** Large values are kept out of line (TOASTed). */
const LARGE: TypeSample = {
  sql: 'text COLLATE "C"',
  values: ['', 'small', 'a'.repeat(3000), ...['b', 'c'].map((letter) => mixed(letter, 12_000))],
}

/**
 * Draws a table from the sample types and creates it, with full replica identity, and as many listeners as are wanted.
 * Most of their conditions are true of some rows and not of others; the rest are as they come.
 */
export async function drawListeners(
  database: TestDatabase,
  version: number,
  seed: number,
  wanted: number,
): Promise<Drawn> {
  await database.query(SAMPLE_SETUP)
  const connection = await canonicalConnection(database)
  const columns = await drawColumns(connection, version, seed)
  const written = columns.slice(1).map((column, index) => writtenColumn(column, seed + index))
  await createJudged(connection, written)

  const drawn = fc.record({
    condition: conditionOn(columns),
    columns: fc.subarray(
      columns.map(({ name }) => name),
      { minLength: 1 },
    ),
  })
  const candidates = fc
    .sample(drawn, { seed, numRuns: CONDITIONS })
    .map(({ condition, columns: names }): DrawnListener => ({
      condition,
      sql: toSql(condition, columns),
      columns: names,
    }))
  const divides = await whichDivide(connection, candidates)
  const dividing = candidates.filter((_, index) => divides[index] === true)
  const others = candidates.filter((_, index) => divides[index] !== true)
  const listeners = [...dividing.slice(0, wanted - ANY_CONDITION), ...others.slice(0, ANY_CONDITION)]
  assert.equal(listeners.length, wanted, `of ${CONDITIONS} conditions ${dividing.length} divide the rows`)
  return { columns: written, listeners }
}

async function drawColumns(connection: Connection, version: number, seed: number): Promise<readonly DrawnColumn[]> {
  const choice = fc.uniqueArray(fc.constantFrom(...typeSamples(version)), {
    minLength: DRAWN_COLUMNS,
    maxLength: DRAWN_COLUMNS,
  })
  const boolean: TypeSample = { sql: 'bool', values: ['t', 'f'] }
  const samples = [ID, boolean, LARGE, ...fc.sample(choice, { seed, numRuns: 1 }).flat()]
  const names = samples.map((_, index) => (index === 0 ? 'id' : `c${index}`))
  const definitions = samples.map(({ sql }, index) => `${names[index]} ${sql}${index === 0 ? ' PRIMARY KEY' : ''}`)
  await connection.query(`CREATE TABLE ${DRAWN_TABLE} (${definitions.join(', ')})`)
  await connection.query(`ALTER TABLE ${DRAWN_TABLE} REPLICA IDENTITY FULL`)
  const types = await typesOf(connection, DRAWN_TABLE)
  return types.map((column, index) => {
    const sample = samples[index]
    assert.ok(sample)
    return { ...column, sample }
  })
}

function writtenColumn(column: DrawnColumn, seed: number): WrittenColumn {
  const texts = fc.sample(fc.option(valueOf(column.sample), { freq: 8 }), { seed, numRuns: VALUES })
  const values = texts.map((text) => (text === null ? 'NULL' : quoteLiteral(text)))
  return { name: quoteIdentifier(column.name), values: ['NULL', ...values] }
}

/** Rows of the kind that will be written, in a table of the connection's own. */
async function createJudged(connection: Connection, columns: readonly WrittenColumn[]): Promise<void> {
  await connection.query(`CREATE TEMP TABLE judged (LIKE ${DRAWN_TABLE})`)
  for (let row = 1; row <= ROWS; row += 1) {
    const values = columns.map(({ values: all }, index) => all[(row * (2 * index + 7)) % all.length])
    await connection.query(`INSERT INTO judged VALUES (${[row, ...values].join(', ')})`)
  }
}

/** For each of them, whether its condition is true of some rows and not of others. */
async function whichDivide(connection: Connection, listeners: readonly DrawnListener[]): Promise<readonly boolean[]> {
  const counts = listeners.map(({ sql }) => `count(*) FILTER (WHERE ${sql})`)
  const [row] = await textRows(connection, `SELECT ${counts.join(', ')} FROM judged`)
  return (row ?? []).map((count) => Number(count) > 0 && Number(count) < ROWS)
}

/** A text that does not compress. */
function mixed(letter: string, length: number): string {
  let state = letter.charCodeAt(0)
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return String.fromCharCode(97 + ((state >>> 16) % 26))
  }).join('')
}
