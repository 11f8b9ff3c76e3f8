import type { TestDatabase } from '@rowtap/driver-testkit'
import { cutConnections, eventually, startProgram, tcpProxy } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { parseLsn } from '../replication/lsn.ts'
import { positionBefore } from '../replication/wal-position.ts'
import { isConnected, notices } from '../testing/notices.ts'
import type { TestHost, TestSession } from '../testing/test-session.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

const TABLES = 'CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY)'
const SLOT = `'rowtap_s_' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '_billing'`

const DURABLE_PROGRAM = new URL('../testing/durable-program.ts', import.meta.url)
const TOLD_PROGRAM = new URL('../testing/told-program.ts', import.meta.url)

const IDLE_SLOT = `SELECT FROM pg_replication_slots WHERE slot_name = ${SLOT}`

const open = (database: TestDatabase, host: TestHost = testHost({ name: 'billing' })): Promise<TestSession> =>
  testSession({ connection: database.url, host, keepsNotices: true, reconnect: { minDelayMs: 10, maxDelayMs: 100 } })

/** A subscription to both tables, which nobody has. */
async function idleSubscription(database: TestDatabase): Promise<void> {
  await database.query(TABLES)
  await using wal = await open(database)
  await wal.session.capture([wanted('t'), wanted('u', ['insert'])])
  await database.query('INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)')
  await wal.count(2)
}

const reasons = (host: TestHost): readonly string[] => notices(host, 'gap').map(({ reason }) => reason)

describePostgres('a subscription that nobody had for a while', (postgres) => {
  test.each([
    ['a dropped table', 'DROP TABLE t', [/^Table public\.t was dropped while/]],
    [
      'a table that was dropped and made again',
      'DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY)',
      [/^Table public\.t was dropped and made again/],
    ],
    [
      'a table that was taken out of its publication',
      'ALTER PUBLICATION rowtap_s_billing_inserts DROP TABLE u',
      [/^Somebody took public\.u out of the publication .* until it is captured again/],
    ],
    [
      'a table that was taken out and put back',
      'ALTER PUBLICATION rowtap_s_billing_all DROP TABLE t; ALTER PUBLICATION rowtap_s_billing_all ADD TABLE t',
      [/^Somebody took public\.t out of the publication .* and put it back/],
    ],
    [
      'a table of which only inserts are published any more',
      'ALTER PUBLICATION rowtap_s_billing_all DROP TABLE t; ALTER PUBLICATION rowtap_s_billing_inserts ADD TABLE t',
      [/^Somebody took updates and deletes of public\.t out/],
    ],
    ['a renamed table', 'ALTER TABLE t RENAME TO t_old', []],
    ['tables that were written to', 'INSERT INTO t VALUES (9); ALTER TABLE u ADD COLUMN w int', []],
  ])('is told of %s', async (_, meanwhile, expected) => {
    await using database = await postgres.createDatabase()
    await idleSubscription(database)
    await database.query(meanwhile)
    const host = testHost({ name: 'billing' })
    const wal = await open(database, host)
    expect(reasons(host)).toHaveLength(expected.length)
    for (const [index, reason] of expected.entries()) expect(reasons(host)[index]).toMatch(reason)
    await wal.session.capture(wal.session.resumed ?? [])
    await wal.session.close()
    // Once: from then on it is captured as it is.
    const again = testHost({ name: 'billing' })
    await using _later = await open(database, again)
    expect(reasons(again)).toEqual([])
  })

  test('is told again where the one who was told ended before it captured anything', async () => {
    await using database = await postgres.createDatabase()
    await idleSubscription(database)
    await database.query('DROP TABLE t')
    for (const _ of [1, 2]) {
      const host = testHost({ name: 'billing' })
      await using _wal = await open(database, host)
      expect(reasons(host)).toEqual([expect.stringContaining('public.t was dropped')])
    }
  })

  test('is told nothing of what it took out itself', async () => {
    await using database = await postgres.createDatabase()
    await idleSubscription(database)
    const first = await open(database)
    await first.session.capture([wanted('u')])
    await first.session.capture([wanted('u'), wanted('t')])
    await first.session.capture([wanted('t')])
    await cutConnections(database)
    await first.session.close()
    const host = testHost({ name: 'billing' })
    await using _wal = await open(database, host)
    expect(reasons(host)).toEqual([])
  })

  test.each(['dropped and made again', 'moved on'])(
    'says that its slot was %s also after a process that was killed',
    { timeout: 60_000 },
    async (what) => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      await using program = startProgram(DURABLE_PROGRAM, {
        ROWTAP_TEST_URL: database.url,
        ROWTAP_TEST_ACKNOWLEDGED: '1000',
      })
      await eventually(() => program.lines.includes('live'), 'the process is live')
      await database.query('INSERT INTO t SELECT generate_series(1, 10)')
      await eventually(() => program.lines.some((line) => line.startsWith('10 ')), 'the last insert')
      const [{ place } = {}] = await database.query('SELECT pg_current_wal_flush_lsn()::text AS place')
      const isAcknowledged = `SELECT FROM pg_replication_slots WHERE slot_name = ${SLOT} AND confirmed_flush_lsn >= $1::pg_lsn`
      await eventually(
        async () => (await database.query(isAcknowledged, [place])).length > 0,
        'everything is acknowledged',
      )
      await program.kill()
      // That it was killed is no reason to think so.
      await eventually(
        async () => (await database.query(`${IDLE_SLOT} AND active_pid IS NULL`)).length > 0,
        'nobody reads the slot',
      )
      const after = await open(database)
      await after.session.close()
      await using again = startProgram(DURABLE_PROGRAM, {
        ROWTAP_TEST_URL: database.url,
        ROWTAP_TEST_ACKNOWLEDGED: '1000',
      })
      await eventually(() => again.lines.includes('live'), 'the process is live again')
      await again.kill()
      await eventually(
        async () => (await database.query(`${IDLE_SLOT} AND active_pid IS NULL`)).length > 0,
        'nobody reads the slot any more',
      )
      await database.query('INSERT INTO t VALUES (11)')
      await database.query(`SELECT pg_logical_emit_message(true, 'noise', repeat('x', 3000000))`)
      if (what === 'moved on') {
        await database.query(`SELECT pg_replication_slot_advance(${SLOT}, pg_current_wal_lsn())`)
      } else {
        await database.query(`SELECT pg_drop_replication_slot(${SLOT})`)
        await database.query(`SELECT pg_create_logical_replication_slot(${SLOT}, 'pgoutput')`)
      }
      await expect(walDriver({ connection: database.url }).open(testHost({ name: 'billing' }))).rejects.toMatchObject({
        code: 'ERR_POSITION_LOST',
        message: expect.stringContaining('made again, or moved on'),
      })
    },
  )

  test('says that its slot was made again, or moved on', async () => {
    await using database = await postgres.createDatabase()
    await idleSubscription(database)
    const [{ flushed } = {}] = await database.query(
      `SELECT confirmed_flush_lsn::text AS flushed FROM pg_replication_slots WHERE slot_name = ${SLOT}`,
    )
    await database.query('INSERT INTO t VALUES (2)')
    await database.query(`SELECT pg_replication_slot_advance(${SLOT}, pg_current_wal_lsn())`)
    const lost = { code: 'ERR_POSITION_LOST', message: expect.stringContaining('made again, or moved on') }
    await expect(walDriver({ connection: database.url }).open(testHost({ name: 'billing' }))).rejects.toMatchObject(
      lost,
    )
    await database.query(`SELECT pg_drop_replication_slot(${SLOT})`)
    await database.query(`SELECT pg_create_logical_replication_slot(${SLOT}, 'pgoutput')`)
    await expect(walDriver({ connection: database.url }).open(testHost({ name: 'billing' }))).rejects.toMatchObject(
      lost,
    )
    const host = testHost({ name: 'billing', onPositionLost: 'restart' })
    await using _wal = await open(database, host)
    // From where the subscription ended on, and not from where the slot is now: what is missing was before that.
    expect(notices(host, 'gap')).toMatchObject([
      { from: positionBefore(parseLsn(String(flushed))), reason: expect.stringContaining('begins anew') },
    ])
  })
})

const PARTITIONED = `
  CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE r_0 PARTITION OF r FOR VALUES FROM (0) TO (10);
  CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM (10) TO (20);
  CREATE TABLE m (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE marker PARTITION OF m FOR VALUES FROM (0) TO (10)`

/** A session that was opened, and everything that it was told until the watch has looked at its tables. */
async function toldAtStart(database: TestDatabase): Promise<readonly string[]> {
  const host = testHost({ name: 'billing' })
  await using wal = await open(database, host)
  await wal.session.capture(wal.session.resumed ?? [])
  const isMarker = (reason: string): boolean => reason.startsWith('public.marker: emptied')
  // What was done before is told with the first of these, or before the second.
  for (const count of [1, 2]) {
    await database.query('TRUNCATE marker')
    await eventually(() => reasons(host).filter(isMarker).length === count, 'a look at the tables')
  }
  return reasons(host).filter((reason) => !isMarker(reason))
}

describePostgres('a subscription to a partitioned table that nobody had for a while', (postgres) => {
  async function idle(database: TestDatabase): Promise<void> {
    await database.query(PARTITIONED)
    await using wal = await open(database)
    await wal.session.capture([wanted('r'), wanted('m')])
    await database.query('INSERT INTO r VALUES (1), (11)')
    await wal.count(2)
  }

  test.each([
    ['a partition that was truncated', 'TRUNCATE r_0', [/^public\.r_0: emptied .* or rewritten/]],
    [
      'one that was made and truncated',
      'CREATE TABLE s PARTITION OF r FOR VALUES FROM (20) TO (30); INSERT INTO r VALUES (20); TRUNCATE s',
      [/^public\.s: emptied .* or rewritten/],
    ],
    ['one that may have been', 'VACUUM FULL r_1', [/^public\.r_1: emptied .* or rewritten .*\. Where it was emptied/]],
    [
      'one that was detached',
      'ALTER TABLE r DETACH PARTITION r_0',
      [/^public\.r_0 is no partition of public\.r any more/],
    ],
    ['one that was dropped', 'DROP TABLE r_1', [/^public\.r_1 is no partition/]],
    [
      'one that came with its rows',
      'CREATE TABLE s (id int PRIMARY KEY); INSERT INTO s VALUES (20); ALTER TABLE r ATTACH PARTITION s FOR VALUES FROM (20) TO (30)',
      [/^public\.s became a partition of public\.r: its rows came unseen/],
    ],
    [
      'one that was detached for a while',
      `ALTER TABLE r DETACH PARTITION r_0; INSERT INTO r_0 VALUES (2); ALTER TABLE r ATTACH PARTITION r_0 FOR VALUES FROM (0) TO (10)`,
      [/^public\.r_0 is being detached from public\.r, or was for a while/],
    ],
    ['nothing where the whole was truncated', 'TRUNCATE r', []],
    [
      'nothing where a partition was made',
      `CREATE TABLE s PARTITION OF r FOR VALUES FROM (20) TO (30); INSERT INTO r VALUES (20); ALTER TABLE s RENAME TO s_2; ALTER TABLE s_2 ALTER COLUMN id SET STATISTICS 10; ANALYZE r`,
      [],
    ],
    ['nothing where nothing was done', 'INSERT INTO r VALUES (2); VACUUM r_0; CREATE INDEX ON r (id)', []],
  ])('is told of %s, once', async (_, meanwhile, expected) => {
    await using database = await postgres.createDatabase()
    await idle(database)
    for (const statement of meanwhile.split('; ')) await database.query(statement)
    const told = await toldAtStart(database)
    expect(told).toHaveLength(expected.length)
    for (const [index, reason] of expected.entries()) expect(told[index]).toMatch(reason)
    expect(await toldAtStart(database)).toEqual([])
  })

  test('is told again where the one who was told ended before it captured anything', async () => {
    await using database = await postgres.createDatabase()
    await idle(database)
    await database.query('ALTER TABLE r DETACH PARTITION r_0')
    for (const _ of [1, 2]) {
      const host = testHost({ name: 'billing' })
      await using _wal = await open(database, host)
      expect(reasons(host)).toEqual([expect.stringContaining('public.r_0 is no partition')])
    }
  })
})

describePostgres('a subscription whose process was killed when it was told of a gap', (postgres) => {
  test.each([
    ['a partition that went', 'ALTER TABLE r DETACH PARTITION r_0', 'public.r_0 is no partition'],
    ['a partition that was emptied', 'TRUNCATE r_1', 'public.r_1: emptied'],
    [
      'a table that lost its identity',
      'ALTER TABLE t REPLICA IDENTITY NOTHING',
      'took updates and deletes of public.t out',
    ],
  ])('is told again of %s', { timeout: 60_000 }, async (_, meanwhile, expected) => {
    await using database = await postgres.createDatabase()
    await database.query(`${TABLES}; ${PARTITIONED}`)
    await using program = startProgram(TOLD_PROGRAM, { ROWTAP_TEST_URL: database.url })
    await eventually(() => program.lines.includes('live'), 'the process is live')
    await database.query(meanwhile)
    await eventually(() => program.lines.includes('told'), 'the process is told')
    const host = testHost({ name: 'billing' })
    await using wal = await open(database, host)
    // What is not told at the start is told as soon as the watch has looked.
    await wal.session.capture((wal.session.resumed ?? []).filter(({ table }) => table.name === 'r'))
    await eventually(() => reasons(host).length > 0, 'the next one is told')
    expect(reasons(host)).toEqual([expect.stringContaining(expected)])
  })
})

describePostgres('a session that ends before what it has to know is told', (postgres) => {
  test('leaves that to the next one', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using proxy = await tcpProxy(database.url)
    const host = testHost({ name: 'billing' })
    const reconnect = { minDelayMs: 10, maxDelayMs: 100 }
    const session = await walDriver({ connection: proxy.url, reconnect }).open(host)
    // Nobody takes its changes.
    await session.capture([wanted('t')])
    await database.query(
      'BEGIN; ALTER PUBLICATION rowtap_s_billing_all DROP TABLE t; ALTER PUBLICATION rowtap_s_billing_all ADD TABLE t; COMMIT',
    )
    proxy.cut()
    await eventually(() => isConnected(host), 'a new connection')
    await session.close()
    expect(reasons(host)).toEqual([])
    const next = testHost({ name: 'billing' })
    await using _wal = await open(database, next)
    expect(reasons(next)).toEqual([expect.stringMatching(/^Somebody took public\.t out .* and put it back/)])
  })
})

describePostgres('a session to which nobody listens yet', (postgres) => {
  test('is told of what was missed while its connection was lost', async () => {
    await using database = await postgres.createDatabase()
    await idleSubscription(database)
    await using proxy = await tcpProxy(database.url)
    const host = testHost({ name: 'billing' })
    await using _wal = await testSession({
      connection: proxy.url,
      host,
      reconnect: { minDelayMs: 10, maxDelayMs: 100 },
    })
    await database.query(
      'BEGIN; ALTER PUBLICATION rowtap_s_billing_all DROP TABLE t; ALTER PUBLICATION rowtap_s_billing_all ADD TABLE t; COMMIT',
    )
    proxy.cut()
    await eventually(() => isConnected(host), 'a new connection')
    await eventually(() => reasons(host).length > 0, 'the gap')
    expect(reasons(host)).toEqual([expect.stringMatching(/^Somebody took public\.t out .* and put it back/)])
  })
})

describePostgres('a subscription of which nothing can be written down any more', (postgres) => {
  test('tells what is missed, and that nothing is acknowledged', { timeout: 60_000 }, async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole('REPLICATION')
    await database.query(`GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}"`)
    await database.query(`GRANT ALL ON SCHEMA public TO "${role.name}"`)
    await database.query(PARTITIONED)
    await database.query(`ALTER TABLE r OWNER TO "${role.name}"`)
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({ connection: role.url, host })
    await wal.session.capture([wanted('r')])
    await database.query('ALTER PUBLICATION rowtap_s_billing_inserts OWNER TO CURRENT_USER')
    await database.query('ALTER TABLE r DETACH PARTITION r_0')
    await eventually(() => reasons(host).length > 0, 'the gap is told')
    expect(reasons(host)).toEqual([expect.stringContaining('public.r_0 is no partition')])
    await database.query('ALTER PUBLICATION rowtap_s_billing_all OWNER TO CURRENT_USER')
    await database.query(`SELECT pg_logical_emit_message(true, 'noise', repeat('x', 3000000))`)
    await database.query('INSERT INTO r VALUES (11)')
    await wal.count(1)
    const waits = (): readonly string[] =>
      notices(host, 'wait').flatMap(({ reason }) => (reason.includes('how far is acknowledged') ? [reason] : []))
    await eventually(() => waits().length > 0, 'the wait is told')
    expect(waits()).toEqual([expect.stringContaining('must be owner of publication')])
    await database.query(`ALTER PUBLICATION rowtap_s_billing_all OWNER TO "${role.name}"`)
    await eventually(
      async () =>
        (await database.query(`${IDLE_SLOT} AND confirmed_flush_lsn >= pg_current_wal_flush_lsn()`)).length > 0,
      'everything is acknowledged',
    )
  })
})

describePostgres('a session whose subscription another process had meanwhile', (postgres) => {
  const both = [wanted('t'), wanted('u', ['insert'])]
  const narrowed =
    'ALTER PUBLICATION rowtap_s_billing_all DROP TABLE t; ALTER PUBLICATION rowtap_s_billing_inserts ADD TABLE t'

  test.each<[string, (other: TestSession, database: TestDatabase) => Promise<unknown>, number]>([
    ['the same', ({ session }) => session.capture(both), 0],
    ['a table less', ({ session }) => session.capture([wanted('t')]), 1],
    ['fewer operations of a table', (_, database) => database.query(narrowed), 1],
    ['a table less for a while', ({ session }) => session.capture([wanted('u')]).then(() => session.capture(both)), 1],
  ])('which captured %s, is told what it has to know', async (_, meanwhile, count) => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using proxy = await tcpProxy(database.url)
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({
      connection: proxy.url,
      host,
      reconnect: { minDelayMs: 10, maxDelayMs: 100 },
    })
    await wal.session.capture(both)
    // Nobody answers there.
    proxy.leadTo('postgresql://127.0.0.1:1')
    proxy.cut()
    const other = await open(database)
    await meanwhile(other, database)
    await other.session.close()
    proxy.leadTo(database.url)
    await database.query('INSERT INTO t VALUES (5, 1); INSERT INTO u VALUES (5)')
    await eventually(() => isConnected(host), 'it has the subscription again')
    await wal.session.capture(both)
    await database.query('UPDATE t SET v = 2')
    await eventually(() => wal.changes.at(-1)?.kind === 'update', 'the update is delivered')
    expect(reasons(host)).toHaveLength(count)
    for (const reason of reasons(host)) expect(reason).toContain('captured less')
  })
})
