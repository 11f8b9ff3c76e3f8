import { RowtapError } from '@rowtap/core/driver'
import { catalogueSnapshot, cutConnections, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'
import { uninstallStatements, uninstallTrigger } from './uninstall-trigger.ts'

const SHOP = `
  CREATE TABLE orders (id int PRIMARY KEY, status text);
  CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
`

async function reason(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  )
}

describePostgres('uninstallTrigger', (postgres) => {
  test('leaves nothing of what a crashed client left', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const before = await catalogueSnapshot(database)
    await using session = await openTestSession({ connection: database.url, reconnect: false })
    await session.capture('orders', 'parted')
    await cutConnections(database)
    await eventually(() => session.error() !== null, 'the crash')
    await eventually(async () => (await reason(uninstallTrigger({ connection: database.url }))) === null, 'the removal')
    expect(await catalogueSnapshot(database)).toEqual(before)
    // Again is no failure.
    expect(await uninstallTrigger({ connection: database.url })).toBeNull()
  })

  test('leaves what is read, and says by whom, unless it is forced', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const before = await catalogueSnapshot(database)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('orders')
    const during = await catalogueSnapshot(database)
    const [row] = await database.query('SELECT process_id FROM rowtap.consumer')
    const error = await reason(uninstallTrigger({ connection: database.url }))
    expect(RowtapError.is(error, 'ERR_SUBSCRIPTION_IN_USE') && error.message).toContain(String(row?.['process_id']))
    expect(await catalogueSnapshot(database)).toEqual(during)
    expect(await uninstallTrigger({ connection: database.url, force: true })).toBeNull()
    expect(await catalogueSnapshot(database)).toEqual(before)
    await eventually(() => session.error() !== null, 'the client hears of it')
  })

  test('by force tells the client of a subscription that its place was removed, and of nothing that it does not know of', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const billing = { name: 'billing', onPositionLost: 'stop', wait: true } as const
    await using session = await openTestSession({ connection: database.url }, billing)
    await session.capture('orders')
    expect(await uninstallTrigger({ connection: database.url, force: true })).toBeNull()
    await eventually(() => session.error() !== null, 'the client hears of it')
    const causes = session.notices.flatMap((notice) => (notice.kind === 'reconnect' ? [notice.cause.message] : []))
    for (const message of [...causes, session.error()?.message]) {
      expect(message).toMatch(/place .* was removed/u)
      expect(message).not.toMatch(/\blease\b/u)
    }
  })

  test('removes a subscription, and leaves what others need', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('orders')
    await database.query(`
      INSERT INTO rowtap.consumer (subscription, place, process_id, process_started)
      VALUES ('billing', pg_current_snapshot(), 0, now()), ('audit', pg_current_snapshot(), 0, now())`)
    expect(await uninstallTrigger({ connection: database.url, subscriptions: ['billing'] })).toBeNull()
    const rows = await database.query('SELECT subscription FROM rowtap.consumer ORDER BY id')
    expect(rows.map((row) => row['subscription'])).toEqual([null, 'audit'])
    await database.query(`INSERT INTO orders VALUES (1, 'new')`)
    await session.count(1)
  })

  test('leaves a schema that holds what others put there, and says so', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const before = await catalogueSnapshot(database)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('orders')
    await database.query('CREATE VIEW rowtap.mine AS SELECT 1 AS one')
    await session.close()
    expect(await uninstallTrigger({ connection: database.url })).toContain('holds objects that rowtap did not make')
    await database.query('DROP VIEW rowtap.mine')
    expect(await uninstallTrigger({ connection: database.url })).toBeNull()
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('does not touch a schema that is someone else’s', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE SCHEMA rowtap')
    const error = await reason(uninstallTrigger({ connection: database.url }))
    expect(RowtapError.is(error, 'ERR_SETUP_REQUIRED') && error.message).toContain('rowtap did not make it')
  })

  test('tells its statements, which do the same', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const before = await catalogueSnapshot(database)
    await using session = await openTestSession({
      connection: database.url,
      schema: 'odd "name"',
      reconnect: false,
      pushdown: 'conditions',
    })
    await session.capture('orders', 'parted')
    await cutConnections(database)
    await eventually(() => session.error() !== null, 'the crash')
    for (const statement of uninstallStatements('odd "name"')) await database.query(statement)
    expect(await catalogueSnapshot(database)).toEqual(before)
  })
})
