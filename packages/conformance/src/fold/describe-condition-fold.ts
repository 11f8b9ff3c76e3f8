import type { Driver, Row } from '@rowtap/core'
import { connect, quoteIdentifier } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { assertSameRows, eventually, readRows } from '@rowtap/driver-testkit'
import { describePostgres, postgresVersions } from '@rowtap/driver-testkit/vitest'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import type { DrawnListener } from './drawn-listeners.ts'
import { DRAWN_TABLE, drawListeners } from './drawn-listeners.ts'
import { randomWrites } from './random-writes.ts'
import { RunningFold } from './running-fold.ts'

const LISTENERS = 50
const WRITERS = 4
const LAST_ID = 1_000_000
/** How long what was written may take to arrive once the writers are done. */
const PATIENCE_MS = 60_000

/** How long the writers write: `ROWTAP_FOLD_SECONDS`, 20 by default. */
const durationMs = 1000 * Number(process.env['ROWTAP_FOLD_SECONDS'] ?? 20)
/** What the table, the conditions and the statements follow from: `ROWTAP_FOLD_SEED`, by default another one each time. */
const seed = Number(process.env['ROWTAP_FOLD_SEED'] ?? Math.floor(Math.random() * 1_000_000))
/** The driver and core are examined here, not PostgreSQL: one version is enough. */
const version = postgresVersions().at(-1)

/** Describes that the folds of a driver's listeners with random conditions are their SELECTs. */
export function describeConditionFold(name: string, create: (database: TestDatabase) => Driver): void {
  describePostgres(
    `the events of ${LISTENERS} listeners with random conditions and columns, by ${name}`,
    (postgres) => {
      test(
        `add up to their SELECTs, while ${WRITERS} writers do what they like`,
        { timeout: durationMs + 3 * PATIENCE_MS },
        async ({ skip }) => {
          skip(typeof version === 'number' && postgres.version !== version, `on PostgreSQL ${version} only`)
          await using database = await postgres.createDatabase()
          try {
            await foldsAreSelects(database, postgres.version, create(database))
          } catch (error) {
            throw new Error(`with ROWTAP_FOLD_SEED=${seed}: ${String(error)}`, { cause: error })
          }
        },
      )
    },
  )
}

async function foldsAreSelects(database: TestDatabase, serverVersion: number, driver: Driver): Promise<void> {
  const { columns, listeners } = await drawListeners(database, serverVersion, seed, LISTENERS)
  await using client = await connect(driver)
  let failure: Error | null = null
  client.on('error', (error) => {
    failure = error
  })
  const folds = listeners.map((wanted) => {
    const fold = new RunningFold()
    const listener = client.listen({ table: DRAWN_TABLE, where: wanted.condition, columns: wanted.columns })
    listener.on('change', (event) => fold.apply(event))
    return { wanted, fold, ready: listener.ready }
  })
  let isLastSeen = false
  const all = client.listen({ table: DRAWN_TABLE, columns: ['id'] })
  all.on('insert', (event) => {
    if (event.key['id'] === LAST_ID) isLastSeen = true
  })
  await Promise.all([all.ready, ...folds.map(({ ready }) => ready)])

  const committed = await randomWrites({ database, table: DRAWN_TABLE, columns, seed, writers: WRITERS, durationMs })
  assert.ok(committed > 0, 'the writers committed something')
  await database.query(`INSERT INTO ${DRAWN_TABLE} (id) VALUES ($1)`, [LAST_ID])
  await eventually(
    () => {
      if (failure !== null) throw failure
      return isLastSeen
    },
    'the last row',
    { timeoutMs: PATIENCE_MS },
  )
  assert.deepEqual(await client.close({ timeoutMs: PATIENCE_MS }), { unfinished: 0 })

  for (const { wanted, fold } of folds) {
    assertSameRows(fold.rows, await selected(database, wanted), `${wanted.columns.join(', ')} where ${wanted.sql}`)
  }
  for (const happening of ['insert', 'update', 'delete', 'derived insert', 'derived delete'] as const) {
    assert.ok(
      folds.filter(({ fold }) => fold.happenings.has(happening)).length > LISTENERS / 2,
      `most listeners have seen each kind of event: ${happening}`,
    )
  }
}

async function selected(database: TestDatabase, { sql, columns }: DrawnListener): Promise<Map<string, Row>> {
  const names = columns.map(quoteIdentifier).join(', ')
  const rows = await readRows(database, `SELECT id AS key, ${names} FROM ${DRAWN_TABLE} WHERE ${sql}`, ['key'])
  return new Map([...rows.values()].map(({ key, ...row }) => [String(key), row]))
}
