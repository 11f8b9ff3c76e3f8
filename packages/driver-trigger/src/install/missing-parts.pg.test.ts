import type { TestDatabase } from '@rowtap/driver-testkit'
import { catalogueSnapshot, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { inspectTrigger } from '../health/inspect-trigger.ts'
import { FIND_INSTALLED_PARTS } from '../sql/installed-parts.ts'
import { openTestSession } from '../testing/open-test-session.ts'
import { uninstallTrigger } from '../uninstall/uninstall-trigger.ts'

const BILLING = { name: 'billing', onPositionLost: 'stop', wait: false } as const
const ORDERS = 'CREATE TABLE orders (id int PRIMARY KEY)'

/** A queue with a subscription that nobody reads. */
async function subscribe(database: TestDatabase): Promise<void> {
  await using session = await openTestSession({ connection: database.url }, BILLING)
  await session.capture('orders')
}

/** What a client's start fails with. */
async function startFailure(database: TestDatabase, subscription: typeof BILLING | null): Promise<unknown> {
  try {
    await using session = await openTestSession({ connection: database.url }, subscription)
    await session.capture('orders')
    return null
  } catch (error) {
    return error
  }
}

describePostgres('a queue of which somebody dropped a part', (postgres) => {
  test('is found, whichever part it is', async () => {
    await using database = await postgres.createDatabase()
    await database.query(ORDERS)
    await subscribe(database)
    const there = await database.query(`
      SELECT 'function' AS kind, p.proname AS name FROM pg_proc p WHERE p.pronamespace = 'rowtap'::regnamespace
      UNION ALL
      SELECT CASE r.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' ELSE 'sequence' END, r.relname
      FROM pg_class r
      WHERE r.relnamespace = 'rowtap'::regnamespace AND r.relkind IN ('r', 'v', 'S')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = r.oid AND d.deptype = 'i')
      ORDER BY 1, 2`)
    const parts = await database.query(FIND_INSTALLED_PARTS.text('rowtap'))
    expect(parts).toEqual(there.map(({ kind, name }) => ({ kind, name, isThere: true })))
  })

  test.each([
    ['function capture', 'CASCADE'],
    ['function enqueue', ''],
    ['function instruct', ''],
    ['table consumer', 'CASCADE'],
    ['table migration', ''],
  ])('is told of, is not started on, and can be removed: %s', async (part, cascade) => {
    await using database = await postgres.createDatabase()
    await database.query(ORDERS)
    const before = await catalogueSnapshot(database)
    await subscribe(database)
    await database.query(`DROP ${part.replace(' ', ' rowtap.')} ${cascade}`)
    const told = expect.stringMatching(new RegExp(`lacks the ${part}\\b.*rowtap uninstall`, 'u'))
    expect(await startFailure(database, BILLING)).toMatchObject({ code: 'ERR_SETUP_REQUIRED', message: told })
    const health = await inspectTrigger({ connection: database.url })
    expect(health).toMatchObject({ obstacle: told, installations: [{ content: { lack: told } }] })
    expect(await uninstallTrigger({ connection: database.url })).toBeNull()
    expect(await catalogueSnapshot(database)).toEqual(before)
    await subscribe(database)
  })

  test('is not started on by a client without a subscription either', async () => {
    await using database = await postgres.createDatabase()
    await database.query(ORDERS)
    await subscribe(database)
    await database.query('DROP FUNCTION rowtap.capture_statement() CASCADE')
    expect(await startFailure(database, null)).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('lacks the function capture_statement'),
    })
  })

  test('is not started on where it does not say which version it has, and can be removed', async () => {
    await using database = await postgres.createDatabase()
    await database.query(ORDERS)
    const before = await catalogueSnapshot(database)
    await subscribe(database)
    await database.query('DELETE FROM rowtap.migration')
    expect(await startFailure(database, BILLING)).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringMatching(/emptied its table migration.*rowtap uninstall/u),
    })
    expect(await uninstallTrigger({ connection: database.url })).toBeNull()
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test.each([BILLING, null])('ends a client that runs, which says what is missing (%o)', async (subscription) => {
    await using database = await postgres.createDatabase()
    await database.query(ORDERS)
    const reconnect = { minDelayMs: 10, maxDelayMs: 100 }
    const session = await openTestSession({ connection: database.url, reconnect }, subscription)
    await session.capture('orders')
    await database.query('DROP TABLE rowtap.queue_1 CASCADE')
    await eventually(() => session.error() !== null, 'the end')
    expect(session.error()).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('lacks the table queue_1'),
    })
    await session.close().catch(() => undefined)
  })

  test('is not removed for one subscription alone', async () => {
    await using database = await postgres.createDatabase()
    await database.query(ORDERS)
    await subscribe(database)
    await database.query('DROP FUNCTION rowtap.instruct')
    await expect(uninstallTrigger({ connection: database.url, subscriptions: ['billing'] })).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('function instruct'),
    })
  })
})
