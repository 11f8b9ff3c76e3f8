import type { PostgresServer, TestDatabase } from '@rowtap/driver-testkit'
import { cutConnections, eventually, startPostgres } from '@rowtap/driver-testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

// PostgreSQL's default. With prepared transactions writers send no notifications at all.
const settings = { max_prepared_transactions: 0 }
// Whoever is not notified hears nothing while the test runs.
const pollIntervalMs = { max: 3_600_000 }

async function asleep(database: TestDatabase): Promise<void> {
  await eventually(async () => {
    const [row] = await database.query('SELECT (last_value & 1)::int + 1 AS value FROM rowtap.state')
    return row?.['value'] === 2
  }, 'writers know that a reader sleeps')
}

/** Counts the notifications that writers and readers send. */
async function notifications(database: TestDatabase): Promise<() => number> {
  let heard = 0
  const listener = await database.connect()
  listener.on('notification', () => (heard += 1))
  await listener.query('LISTEN rowtap')
  return () => heard
}

describe('a reader that sleeps, where writers may notify', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ settings })
  })
  afterAll(() => server.stop())

  test('is woken by a writer, and again', async () => {
    await using database = await server.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using session = await openTestSession({ connection: database.url, pollIntervalMs })
    await session.capture('t')
    for (const count of [1, 2, 3]) {
      await asleep(database)
      const heard = await notifications(database)
      await database.query('INSERT INTO t VALUES (1)')
      expect(await session.count(count)).toHaveLength(count)
      await eventually(() => heard() > 0, 'the notification')
    }
  })

  test('that crashed has writers notify nobody after a minute', async () => {
    await using database = await server.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    const subscription = { name: 'billing', wait: true, onPositionLost: 'stop' } as const
    await using session = await openTestSession(
      { connection: database.url, pollIntervalMs, reconnect: false },
      subscription,
    )
    await session.capture('t')
    await asleep(database)
    await cutConnections(database)
    await asleep(database)
    const heard = await notifications(database)
    await database.query('INSERT INTO t VALUES (1)')
    await eventually(() => heard() === 1, 'the notification of a writer')
    await database.query(`SELECT setval('rowtap.sleep_until', extract(epoch FROM now())::bigint - 1)`)
    await database.query('INSERT INTO t VALUES (1); SELECT pg_notify($$rowtap$$, $$last$$)')
    await eventually(() => heard() >= 2, 'the last notification')
    expect(heard()).toBe(2)
  })

  test('still is, after another client started and stopped', async () => {
    await using database = await server.createDatabase()
    await database.query('CREATE TABLE t (id int); CREATE TABLE other (id int)')
    await using session = await openTestSession({ connection: database.url, pollIntervalMs })
    await session.capture('t')
    for (const count of [1, 2, 3]) {
      await asleep(database)
      const visitor = await openTestSession({ connection: database.url })
      await visitor.capture('other')
      await visitor.close()
      await asleep(database)
      await database.query('INSERT INTO t VALUES (1)')
      expect(await session.count(count)).toHaveLength(count)
    }
  })

  test('still is, while others come and go, and a busy table has writers that notify nobody', async () => {
    await using database = await server.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    const sessions = await Promise.all(
      [1, 2, 3].map(() => openTestSession({ connection: database.url, pollIntervalMs })),
    )
    await Promise.all(sessions.map((session) => session.capture('t')))
    await asleep(database)
    const heard = await notifications(database)
    for (let row = 0; row < 200; row += 1) await database.query('INSERT INTO t VALUES (1)')
    await Promise.all(sessions.map((session) => session.count(200)))
    expect(heard()).toBeLessThan(100)
    await Promise.all(sessions.map((session) => session.close()))
  })
})
