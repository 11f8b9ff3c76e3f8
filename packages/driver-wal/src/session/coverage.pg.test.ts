import type { TestDatabase } from '@rowtap/driver-testkit'
import { cutConnections, eventually, tcpProxy } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { isConnected, notices } from '../testing/notices.ts'
import type { TestHost, TestSession } from '../testing/test-session.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

const TABLES = 'CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY)'
const SLOT = `'rowtap_s_' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '_billing'`

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

  test('says that its slot was made again, or moved on', async () => {
    await using database = await postgres.createDatabase()
    await idleSubscription(database)
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
    expect(reasons(host)).toEqual([expect.stringContaining('begins anew')])
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
