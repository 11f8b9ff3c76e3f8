import { cutConnections, eventually, tcpProxy } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { isConnected, notices } from '../testing/notices.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

const OBJECTS = `
  SELECT pubname::text AS name FROM pg_publication
  UNION ALL SELECT slot_name::text FROM pg_replication_slots WHERE database = current_database() ORDER BY 1`

const QUICK = { minDelayMs: 10, maxDelayMs: 100 }

describePostgres('a session whose connections are lost', (postgres) => {
  test('without a subscription goes on with a gap, from what it delivered last to where it is live again', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    await using wal = await testSession({ connection: database.url, reconnect: QUICK })
    await wal.session.capture([wanted('t'), wanted('u', ['insert'])])
    await database.query('INSERT INTO t VALUES (1)')
    const [first] = await wal.count(1)
    await cutConnections(database)
    await eventually(() => notices(wal.host, 'gap').length > 0, 'a gap')
    const [gap] = notices(wal.host, 'gap')
    expect(gap).toMatchObject({ from: first?.position, reason: expect.stringContaining('was lost') })
    await database.query('INSERT INTO t VALUES (2); INSERT INTO u VALUES (3)')
    const changes = await wal.count(3)
    expect(changes.map((change) => change.new)).toEqual([['1'], ['2'], ['3']])
    expect(gap?.to !== null && gap?.to !== undefined && changes[1] !== undefined && changes[1].position > gap.to).toBe(
      true,
    )
    expect(notices(wal.host, 'reconnect')).toMatchObject([
      { outcome: 'trying', attempt: 1, cause: { code: 'ERR_CONNECTION_LOST' } },
      { outcome: 'connected', attempt: 1 },
    ])
    expect(await database.query(OBJECTS)).toHaveLength(3)
    await wal.session.close()
    expect(await database.query(OBJECTS)).toEqual([])
  })

  test.each(['walsender', 'client backend'])('goes on when only its %s was ended', async (type) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({ connection: database.url, host, acknowledges: false })
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'rowtap-testkit' AND backend_type = $1`,
      [type],
    )
    await database.query('INSERT INTO t VALUES (2)')
    expect((await wal.count(2)).map((change) => change.new)).toEqual([['1'], ['2']])
    await eventually(() => isConnected(host), 'a new connection is told')
  })

  test('finds that nothing passes any more, connects again and loses nothing', { timeout: 60_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using proxy = await tcpProxy(database.url)
    // The processes of the server that the lost connections talk to are not another client.
    const host = testHost({ name: 'billing', wait: false })
    await using wal = await testSession({
      connection: { connectionString: proxy.url, connectionTimeoutMillis: 1000 },
      host,
      livenessMs: 500,
      reconnect: QUICK,
    })
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
    proxy.freeze()
    await database.query('INSERT INTO t VALUES (2)')
    await eventually(() => notices(host, 'reconnect').length > 0, 'the loss is found')
    // The processes of the server that the old connections talk to are there still.
    proxy.thaw()
    await database.query('INSERT INTO t VALUES (3)')
    expect((await wal.count(3)).map((change) => change.new)).toEqual([['1'], ['2'], ['3']])
    expect(notices(host, 'gap')).toEqual([])
  })

  test('finds that only the stream does not pass any more', { timeout: 60_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using proxy = await tcpProxy(database.url)
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({ connection: proxy.url, host, livenessMs: 300, reconnect: QUICK })
    await wal.session.capture([wanted('t')])
    proxy.freeze(1)
    await database.query('INSERT INTO t VALUES (1)')
    expect((await wal.count(1)).map((change) => change.new)).toEqual([['1']])
    expect(notices(host, 'reconnect')[0]?.cause.message).toContain('no sign of life')
  })

  test('does not take a slow reader for a lost connection', { timeout: 60_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    const host = testHost({ name: 'billing' })
    const session = await walDriver({ connection: database.url, livenessMs: 1000 }).open(host)
    try {
      await session.capture([wanted('t')])
      const batches = session.batches()[Symbol.asyncIterator]()
      await database.query(`INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 30000) i`)
      let next = await batches.next()
      let count = next.done === true ? 0 : next.value.changes.length
      const since = performance.now()
      await eventually(() => performance.now() - since > 5000, 'several times the liveness')
      while (count < 30_000 && next.done !== true) {
        next = await batches.next()
        if (next.done !== true) count += next.value.changes.length
      }
      expect(count).toBe(30_000)
      expect(notices(host, 'reconnect')).toEqual([])
    } finally {
      await session.close()
    }
  })

  test('does not take an idle server for a lost one', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using wal = await testSession({ connection: database.url, livenessMs: 1000 })
    await wal.session.capture([wanted('t')])
    const since = performance.now()
    await eventually(() => performance.now() - since > 5000, 'several times the liveness')
    expect(notices(wal.host, 'reconnect')).toEqual([])
    await database.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
  })

  test('ends with the reason when connecting again cannot help', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole('REPLICATION')
    await database.query(`GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}"`)
    await using wal = await testSession({ connection: role.url, host: testHost({ name: 'billing' }), reconnect: QUICK })
    await wal.session.capture([])
    await database.query(`ALTER ROLE "${role.name}" PASSWORD 'another'`)
    await cutConnections(database)
    await expect(wal.reading).rejects.toMatchObject({ code: 'ERR_AUTHENTICATION_FAILED' })
    await expect(wal.session.capture([])).rejects.toMatchObject({ code: 'ERR_AUTHENTICATION_FAILED' })
    await wal.session.close()
    await database.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database(); DROP PUBLICATION rowtap_s_billing_all, rowtap_s_billing_inserts; REVOKE CREATE ON DATABASE "${database.name}" FROM "${role.name}"`,
    )
  })

  test('gives up after the time that it was given, and not before', async () => {
    await using database = await postgres.createDatabase()
    await using proxy = await tcpProxy(database.url)
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({
      connection: proxy.url,
      host,
      reconnect: { ...QUICK, giveUpAfterMs: 400 },
    })
    await wal.session.capture([])
    await proxy[Symbol.asyncDispose]()
    await expect(wal.reading).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST', retryable: true })
    expect(notices(host, 'reconnect').length).toBeGreaterThan(2)
    await expect(wal.session.capture([])).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' })
  })

  test('closes at once while it connects again', async () => {
    await using database = await postgres.createDatabase()
    await using proxy = await tcpProxy(database.url)
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({ connection: proxy.url, host, livenessMs: 200 })
    await wal.session.capture([])
    proxy.freeze()
    await eventually(() => notices(host, 'reconnect').length > 0, 'an attempt')
    const call = wal.session.capture([]).catch((error: unknown) => error)
    const since = performance.now()
    await wal.session.close()
    expect(performance.now() - since).toBeLessThan(3000)
    expect(await call).toMatchObject({ code: 'ERR_CLOSED' })
    await wal.reading
  })
})
