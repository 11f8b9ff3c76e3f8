import type { DurableSubscription } from '@rowtap/core/driver'
import { cutConnections, eventually, tcpProxy } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import type { TestSession } from '../testing/open-test-session.ts'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

const QUICK = { minDelayMs: 10, maxDelayMs: 100 }
const BILLING: DurableSubscription = { name: 'billing', wait: false, onPositionLost: 'stop' }

/** The processes that wait for a lock on a part of the queue. */
const WAITING = `SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'rowtap.queue_2'::regclass`
const CANCEL_WAITING = `SELECT pg_cancel_backend(pid) FROM (${WAITING}) w`

function told(session: TestSession, kind: 'gap' | 'reconnect'): readonly object[] {
  return session.notices.filter((notice) => notice.kind === kind)
}

async function connectedAgain(session: TestSession): Promise<void> {
  await eventually(
    () => session.notices.some((notice) => notice.kind === 'reconnect' && notice.outcome === 'connected'),
    'a new connection',
  )
}

describePostgres('a session whose connections are lost', (postgres) => {
  test('without a subscription goes on where it was while the queue waits for it', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    // Another client is at work meanwhile, and lets go of nothing.
    await using other = await openTestSession({ connection: database.url })
    await other.capture('t')
    await using proxy = await tcpProxy(database.url)
    await using session = await openTestSession({ connection: proxy.url, reconnect: QUICK })
    await session.capture('t')
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    proxy.cut()
    await database.query('INSERT INTO t VALUES (2)')
    await connectedAgain(session)
    await database.query('INSERT INTO t VALUES (3)')
    const changes = await session.count(3)
    expect(changes.map(describeChange)).toEqual(['insert t new=(1)', 'insert t new=(2)', 'insert t new=(3)'])
    expect(changes.map(({ position }) => position)).toEqual(changes.map(({ position }) => position).toSorted())
    expect(told(session, 'gap')).toEqual([])
    expect(told(session, 'reconnect').slice(0, 2)).toMatchObject([
      { outcome: 'trying', attempt: 1, cause: { code: 'ERR_CONNECTION_LOST' } },
      { outcome: expect.any(String) },
    ])
  })

  test('without a subscription goes on with a gap where the queue did not wait for it', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using proxy = await tcpProxy(database.url)
    await using session = await openTestSession({ connection: proxy.url, reconnect: QUICK })
    await session.capture('t')
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    proxy.freeze()
    await database.query('DELETE FROM rowtap.consumer')
    await database.query('INSERT INTO t VALUES (2)')
    proxy.cut()
    proxy.thaw()
    await eventually(() => told(session, 'gap').length > 0, 'the gap')
    await database.query('INSERT INTO t VALUES (3)')
    const changes = await session.count(2)
    expect(changes.map(describeChange)).toEqual(['insert t new=(1)', 'insert t new=(3)'])
    expect(told(session, 'gap')).toMatchObject([{ from: changes[0]?.position }])
  })

  test.each(['first', 'last'])('goes on when only the %s of them was ended', async (which) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url, reconnect: QUICK }, BILLING)
    session.holdBack()
    await session.capture('t')
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM (
        SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rowtap'
        ORDER BY backend_start ${which === 'first' ? 'ASC' : 'DESC'} LIMIT 1
      ) one`,
    )
    await database.query('INSERT INTO t VALUES (2)')
    expect((await session.count(2)).map(describeChange)).toEqual(['insert t new=(1)', 'insert t new=(2)'])
    await connectedAgain(session)
    expect(told(session, 'gap')).toEqual([])
  })

  test('delivers the rest of a transaction that it was in the middle of, once', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await using session = await openTestSession({ connection: database.url, reconnect: QUICK }, BILLING)
    await session.capture('t')
    await database.query(`INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, 30000) i`)
    await session.count(1)
    await cutConnections(database)
    await connectedAgain(session)
    const changes = await session.count(30_000)
    expect(changes.map((change) => Number(change.new?.text(0)))).toEqual(
      Array.from({ length: 30_000 }, (_, index) => index + 1),
    )
  })

  test('finds that nothing passes any more, connects again and loses nothing', { timeout: 60_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using proxy = await tcpProxy(database.url)
    // The processes of the server that the lost connections talk to are not another client.
    await using session = await openTestSession(
      {
        connection: { connectionString: proxy.url, connectionTimeoutMillis: 1000 },
        livenessMs: 500,
        reconnect: QUICK,
      },
      BILLING,
    )
    await session.capture('t')
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    proxy.freeze()
    await database.query('INSERT INTO t VALUES (2)')
    await eventually(() => told(session, 'reconnect').length > 0, 'the loss is found')
    // The processes of the server that the old connections talk to are there still.
    proxy.thaw()
    await database.query('INSERT INTO t VALUES (3)')
    expect((await session.count(3)).map(describeChange)).toEqual([
      'insert t new=(1)',
      'insert t new=(2)',
      'insert t new=(3)',
    ])
    expect(told(session, 'gap')).toEqual([])
  })

  test('finds that only one of its connections does not pass any more', { timeout: 60_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using proxy = await tcpProxy(database.url)
    await using session = await openTestSession({ connection: proxy.url, livenessMs: 300, reconnect: QUICK }, BILLING)
    await session.capture('t')
    proxy.freeze(1)
    await database.query('INSERT INTO t VALUES (1)')
    expect((await session.count(1)).map(describeChange)).toEqual(['insert t new=(1)'])
    expect(told(session, 'reconnect')[0]).toMatchObject({
      cause: { message: expect.stringContaining('no sign of life') },
    })
  })

  test('captures a table that was asked for while there was no connection', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    await using proxy = await tcpProxy(database.url)
    await using session = await openTestSession({ connection: proxy.url, reconnect: QUICK }, BILLING)
    await session.capture('t')
    proxy.cut()
    await session.capture('t', 'u')
    await database.query('INSERT INTO t VALUES (1); INSERT INTO u VALUES (2)')
    await session.count(2)
    expect(session.changes.map(describeChange)).toEqual(['insert t new=(1)', 'insert u new=(2)'])
  })

  test('gives up after the time that it was given, and not before', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using proxy = await tcpProxy(database.url)
    await using session = await openTestSession(
      { connection: proxy.url, reconnect: { ...QUICK, giveUpAfterMs: 400 } },
      BILLING,
    )
    await session.capture('t')
    await proxy[Symbol.asyncDispose]()
    await eventually(() => session.error() !== null, 'the end')
    expect(session.error()).toMatchObject({ code: 'ERR_CONNECTION_LOST', retryable: true })
    expect(told(session, 'reconnect').length).toBeGreaterThan(2)
    await expect(session.capture('t')).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' })
  })

  test('goes on where its reading was cancelled', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url, reconnect: QUICK }, BILLING)
    await session.capture('t')
    const other = await database.connect()
    await database.query('INSERT INTO t VALUES (1)')
    await other.query('BEGIN; LOCK TABLE rowtap.queue_2 IN ACCESS EXCLUSIVE MODE')
    await database.query('INSERT INTO t VALUES (2)')
    await eventually(async () => (await other.query(CANCEL_WAITING)).rowCount !== 0, 'a reader that waits')
    await other.query('COMMIT')
    await other.end()
    expect((await session.count(2)).map(describeChange)).toEqual(['insert t new=(1)', 'insert t new=(2)'])
    await connectedAgain(session)
    expect(told(session, 'reconnect')[0]).toMatchObject({ cause: { code: 'ERR_DATABASE' } })
    expect(told(session, 'gap')).toEqual([])
  })

  test('goes on where its reading was the victim of a deadlock', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url, reconnect: QUICK }, BILLING)
    await session.capture('t')
    const other = await database.connect()
    // The reader looks for a deadlock first.
    await other.query(`SET deadlock_timeout = '1min'; BEGIN; LOCK TABLE rowtap.queue_2 IN ACCESS EXCLUSIVE MODE`)
    await eventually(async () => (await other.query(WAITING)).rowCount !== 0, 'a reader that waits')
    await other.query('LOCK TABLE rowtap.queue_1 IN ACCESS EXCLUSIVE MODE; COMMIT')
    await other.end()
    await database.query('INSERT INTO t VALUES (1)')
    expect((await session.count(1)).map(describeChange)).toEqual(['insert t new=(1)'])
    expect(told(session, 'reconnect')[0]).toMatchObject({ cause: { message: expect.stringContaining('40P01') } })
  })

  test('ends with the reason when connecting again cannot help', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    await database.query(`GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}"`)
    await using session = await openTestSession({ connection: role.url, reconnect: QUICK })
    await database.query(`ALTER ROLE "${role.name}" PASSWORD 'another'`)
    await cutConnections(database)
    await eventually(() => session.error() !== null, 'the end')
    expect(session.error()).toMatchObject({ code: 'ERR_AUTHENTICATION_FAILED' })
    await session.close()
    await database.query(`REVOKE CREATE ON DATABASE "${database.name}" FROM "${role.name}"`)
  })

  test('closes soon while it connects again', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using proxy = await tcpProxy(database.url)
    const session = await openTestSession({ connection: proxy.url, livenessMs: 200 }, BILLING)
    await session.capture('t')
    proxy.freeze()
    await eventually(() => told(session, 'reconnect').length > 0, 'an attempt')
    const call = session.capture('t').catch((error: unknown) => error)
    const since = performance.now()
    await session.close()
    expect(performance.now() - since).toBeLessThan(3000)
    expect(await call).toMatchObject({ code: 'ERR_CLOSED' })
  })
})
