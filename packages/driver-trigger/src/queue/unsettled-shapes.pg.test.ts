import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

const TRANSACTIONS = 400
const WRITE = `DO $$ BEGIN FOR i IN 1..${TRANSACTIONS} LOOP INSERT INTO t VALUES (i, repeat('x', 5000)); COMMIT; END LOOP; END $$`
const BILLING = { name: 'billing', wait: true, onPositionLost: 'stop' } as const

/** A table whose changes a subscription is to have that nobody reads at present. */
async function captured(database: TestDatabase, columns: string): Promise<void> {
  await database.query(`CREATE TABLE t (${columns})`)
  const first = await openTestSession({ connection: database.url }, BILLING)
  await first.capture('t')
  await first.close()
}

async function count(database: TestDatabase, table: 'shape' | 'unsettled'): Promise<number> {
  const [row] = await database.query(`SELECT count(*) FROM rowtap.${table}`)
  return Number(row?.['count'])
}

describePostgres('the columns of a table that was altered while nobody read', (postgres) => {
  test('are recorded by one writer for all', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    await captured(database, 'id int PRIMARY KEY, v text')
    await database.query('ALTER TABLE t ADD COLUMN w int')
    await database.query(WRITE)
    expect([await count(database, 'shape'), await count(database, 'unsettled')]).toEqual([2, 0])
    await using second = await openTestSession({ connection: database.url }, BILLING)
    await second.capture('t')
    const changes = await second.count(TRANSACTIONS)
    expect(new Set(changes.map(({ relation }) => relation)).size).toBe(1)
    expect(changes[0]?.relation.columns.map(({ name }) => name)).toEqual(['id', 'v', 'w'])
  })

  test('are kept for what REPEATABLE READ transactions wrote until that is handled, and not longer', async () => {
    await using database = await postgres.createDatabase()
    await captured(database, 'id int PRIMARY KEY, v text')
    await database.query('ALTER TABLE t ADD COLUMN w int')
    // One that is older, in whichever database of the server, is in progress when all is handled.
    await using elsewhere = await postgres.createDatabase()
    const older = await elsewhere.connect()
    await older.query('BEGIN; SELECT txid_current()')
    const writer = await database.connect()
    await writer.query('SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ')
    await writer.query(WRITE)
    await writer.end()
    expect(await count(database, 'unsettled')).toBe(TRANSACTIONS)
    await using second = await openTestSession({ connection: database.url }, BILLING)
    await second.capture('t')
    const changes = await second.count(TRANSACTIONS)
    expect(new Set(changes.map(({ relation }) => relation)).size).toBe(1)
    await eventually(
      async () => (await database.query('SELECT FROM rowtap.queue LIMIT 1')).length === 0,
      'an empty queue',
    )
    expect(await count(database, 'unsettled')).toBe(TRANSACTIONS)
    await older.end()
    await eventually(async () => (await count(database, 'unsettled')) === 0, 'nothing that is kept')
    expect(second.error()).toBe(null)
  })

  test('are told apart where a transaction alters it several times, also by what has the same version', async () => {
    await using database = await postgres.createDatabase()
    await captured(database, 'id int PRIMARY KEY, v text')
    const role = await database.createRole()
    const grants = [...Array(8).keys()].map((index) => [
      // The row of a column in the catalogue has a new version, and the same content.
      `GRANT SELECT (v) ON t TO "${role.name}"; INSERT INTO t VALUES (${10 * index + 1}, 'v')`,
      `ALTER TABLE t RENAME COLUMN v TO w; INSERT INTO t VALUES (${10 * index + 2}, 'w')`,
      `ALTER TABLE t RENAME COLUMN w TO v; REVOKE SELECT (v) ON t FROM "${role.name}"; INSERT INTO t VALUES (${10 * index + 3}, 'v')`,
    ])
    for (const [index, [grant = '', rename = '', back = '']] of grants.entries()) {
      const savepoint = index % 2 === 0 ? '' : 'SAVEPOINT s; '
      await database.query(`BEGIN; ${savepoint}${grant}; ${rename}; COMMIT`)
      await database.query(back)
    }
    await using second = await openTestSession({ connection: database.url }, BILLING)
    await second.capture('t')
    for (const change of await second.count(24)) {
      const [, column] = change.relation.columns
      expect(change.new?.text(1), describeChange(change)).toBe(column?.name)
    }
  })
})
