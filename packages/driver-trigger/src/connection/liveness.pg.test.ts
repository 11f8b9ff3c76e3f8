import { eventually, tcpProxy } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

/** The connections of a client that have waited for a lock on a table ($1) for longer than three times its livenessMs. */
const LONG_WAITING = `
  SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE NOT l.granted AND l.relation = $1::regclass AND clock_timestamp() - a.query_start > interval '3 s'`

describePostgres('a connection on which the server waits for a lock', (postgres) => {
  test.each([
    ['one of the two', 'rowtap.wanted', 1],
    ['both', 'rowtap.consumer', 2],
  ] as const)('(%s) is not taken for one that is lost', { timeout: 60_000 }, async (_, table, connections) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url, livenessMs: 1000, leaseMs: 2500 })
    await session.capture('t')
    const other = await database.connect()
    await other.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
    await eventually(
      async () => (await database.query(LONG_WAITING, [table])).length === connections,
      'statements that wait for long',
      { timeoutMs: 40_000 },
    )
    await other.query('COMMIT')
    await other.end()
    await database.query('INSERT INTO t VALUES (1)')
    expect((await session.count(1)).map(describeChange)).toEqual(['insert t new=(1)'])
    expect(session.notices).toEqual([])
  })
  test('is taken for one that is lost where nothing passes any more', { timeout: 60_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using proxy = await tcpProxy(database.url)
    await using session = await openTestSession({ connection: proxy.url, livenessMs: 300, leaseMs: 2500 })
    await session.capture('t')
    const other = await database.connect()
    await other.query('BEGIN; LOCK TABLE rowtap.wanted IN ACCESS EXCLUSIVE MODE')
    const waiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'rowtap.wanted'::regclass`
    await eventually(async () => (await database.query(waiting)).length > 0, 'a statement that waits')
    proxy.freeze()
    await eventually(() => session.notices.some(({ kind }) => kind === 'reconnect'), 'the loss is found')
    proxy.thaw()
    await other.query('COMMIT')
    await other.end()
    await database.query('INSERT INTO t VALUES (1)')
    expect((await session.count(1)).map(describeChange)).toEqual(['insert t new=(1)'])
  })
})
