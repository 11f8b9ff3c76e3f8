import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { isConnected, notices } from '../testing/notices.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'

const CANCEL_WAITING = `
  SELECT pg_cancel_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'rowtap' AND wait_event_type = 'Lock'`
const QUICK = { minDelayMs: 10, maxDelayMs: 100 }

/** Has what waits for a catalogue cancelled, until something has come of it. */
async function cancelled(
  database: TestDatabase,
  catalogue: string,
  cause: () => Promise<unknown>,
  isTold: (count: number) => boolean,
): Promise<void> {
  const monitor = await database.connect()
  await monitor.query(CANCEL_WAITING)
  const holder = await database.connect()
  await holder.query(
    `BEGIN; SET LOCAL allow_system_table_mods = on; LOCK TABLE pg_catalog.${catalogue} IN ACCESS EXCLUSIVE MODE`,
  )
  await cause()
  await eventually(async () => {
    return isTold((await monitor.query(CANCEL_WAITING)).rowCount ?? 0)
  }, 'what comes of statements that are cancelled')
  await holder.query('COMMIT')
  await holder.end()
  await monitor.end()
}

describePostgres('where a look at the catalogue is cancelled', (postgres) => {
  test('a client that reads a change connects again, and loses and repeats nothing', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({ connection: database.url, host, reconnect: QUICK, acknowledges: false })
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
    await cancelled(
      database,
      'pg_enum',
      () => database.query('ALTER TABLE t ADD COLUMN c int; INSERT INTO t VALUES (2)'),
      () => notices(host, 'reconnect').length > 0,
    )
    expect((await wal.count(2)).map(({ new: row }) => row?.[0])).toEqual(['1', '2'])
    await eventually(() => isConnected(host), 'a new connection is told')
    expect(notices(host, 'reconnect')[0]).toMatchObject({
      cause: { code: 'ERR_DATABASE', message: expect.stringContaining('57014') },
    })
    expect(notices(host, 'gap')).toEqual([])
    await database.query('INSERT INTO t VALUES (3)')
    expect((await wal.count(3)).map(({ new: row }) => row?.[0])).toEqual(['1', '2', '3'])
  })

  test('a table is captured all the same, without a new connection', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    const host = testHost()
    await using wal = await testSession({ connection: database.url, host, reconnect: QUICK })
    await wal.session.capture([wanted('t')])
    let capturing: Promise<unknown> = Promise.resolve()
    await cancelled(
      database,
      'pg_publication_rel',
      () => {
        capturing = wal.session.capture([wanted('t'), wanted('u')])
        capturing.catch(() => undefined)
        return Promise.resolve()
      },
      () => notices(host, 'wait').some(({ reason }) => reason.includes('57014')),
    )
    await capturing
    await database.query('INSERT INTO u VALUES (1)')
    expect((await wal.count(1)).map(({ table }) => table)).toEqual(['u'])
    expect(notices(host, 'reconnect')).toEqual([])
    expect(notices(host, 'gap')).toEqual([])
  })

  test('close() removes what was the session’s own', async () => {
    await using database = await postgres.createDatabase()
    const wal = await testSession({ connection: database.url })
    let closing: Promise<void> = Promise.resolve()
    let cancels = 0
    await cancelled(
      database,
      'pg_publication',
      () => {
        closing = wal.session.close()
        closing.catch(() => undefined)
        return Promise.resolve()
      },
      (count) => (cancels += count) > 1,
    )
    await closing
    expect(await database.query('SELECT FROM pg_publication')).toEqual([])
  })

  test('a client that is not to connect again ends with the reason, and so does a call', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    await using wal = await testSession({ connection: database.url, reconnect: false })
    await wal.session.capture([wanted('t')])
    const reasons: unknown[] = []
    const refused = { code: 'ERR_DATABASE', message: expect.stringContaining('57014') }
    await cancelled(
      database,
      'pg_publication_rel',
      () => {
        wal.session.capture([wanted('t'), wanted('u')]).catch((error: unknown) => reasons.push(error))
        return Promise.resolve()
      },
      () => reasons.length > 0,
    )
    expect(reasons).toMatchObject([refused])
    wal.reading.catch((error: unknown) => reasons.push(error))
    await cancelled(
      database,
      'pg_enum',
      () => database.query('ALTER TABLE t ADD COLUMN c int; INSERT INTO t VALUES (1)'),
      () => reasons.length > 1,
    )
    expect(reasons).toMatchObject([refused, refused])
  })
})
