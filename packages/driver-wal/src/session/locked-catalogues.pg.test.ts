import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { isConnected, notices } from '../testing/notices.ts'
import type { TestHost } from '../testing/test-session.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'

const OURS = `datname = current_database() AND application_name LIKE 'rowtap%' AND application_name <> 'rowtap-testkit'`
const WAITING = `SELECT pid FROM pg_stat_activity WHERE ${OURS} AND wait_event_type = 'Lock'`
const PUBLICATIONS = `SELECT pubname FROM pg_publication`
const CUT_CONTROL = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS} AND backend_type = 'client backend'`
const QUICK = { minDelayMs: 10, maxDelayMs: 100 }

/** Has a catalogue to itself, as VACUUM FULL does, until it is told to let go. */
async function locked(database: TestDatabase, catalogue: string): Promise<() => Promise<void>> {
  const holder = await database.connect()
  await holder.query(
    `BEGIN; SET LOCAL allow_system_table_mods = on; LOCK TABLE pg_catalog.${catalogue} IN ACCESS EXCLUSIVE MODE`,
  )
  return async () => {
    await holder.query('COMMIT')
    await holder.end()
  }
}

/** Only what waits for longer than a look is told. */
async function waitIsTold(host: TestHost): Promise<void> {
  await eventually(
    () => notices(host, 'wait').some(({ reason }) => reason.includes('catalogue')),
    'a wait that is told',
  )
}

describePostgres('while somebody has a catalogue to himself', (postgres) => {
  test.each([undefined, { name: 'billing' }])(
    'a client goes on with changes that need it (%o)',
    async (subscription) => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      const host = testHost(subscription)
      await using wal = await testSession({ connection: database.url, host, livenessMs: 500 })
      await wal.session.capture([wanted('t')])
      await database.query('INSERT INTO t VALUES (1)')
      await wal.count(1)
      // The stream does not need it, and who reads what it sends does.
      const unlock = await locked(database, 'pg_enum')
      await database.query('ALTER TABLE t ADD COLUMN c int; INSERT INTO t VALUES (2)')
      await waitIsTold(host)
      await unlock()
      expect((await wal.count(2)).map(({ new: row }) => row?.[0])).toEqual(['1', '2'])
      expect(notices(host, 'reconnect')).toEqual([])
      expect(notices(host, 'gap')).toEqual([])
    },
  )

  test.each(['pg_class', 'pg_publication', 'pg_publication_rel'])(
    'another table is captured: %s',
    async (catalogue) => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
      const host = testHost({ name: 'billing' })
      await using wal = await testSession({ connection: database.url, host, livenessMs: 500 })
      await wal.session.capture([wanted('t')])
      const unlock = await locked(database, catalogue)
      const capturing = wal.session.capture([wanted('t'), wanted('u')])
      capturing.catch(() => undefined)
      await eventually(() => notices(host, 'wait').length > 0, 'a wait that is told')
      await unlock()
      await capturing
      await database.query('INSERT INTO u VALUES (1)')
      await wal.count(1)
      expect(notices(host, 'reconnect')).toEqual([])
    },
  )

  test.each([undefined, { name: 'billing' }])('it connects, and connects again (%o)', async (subscription) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const host = testHost(subscription)
    const unlock = await locked(database, 'pg_publication')
    const opening = testSession({ connection: database.url, host, reconnect: QUICK, keepsNotices: true })
    opening.catch(() => undefined)
    await waitIsTold(host)
    await unlock()
    await using wal = await opening
    await wal.session.capture([wanted('t')])
    host.notices.length = 0
    const unlockAgain = await locked(database, 'pg_publication')
    await database.query(CUT_CONTROL)
    await waitIsTold(host)
    await unlockAgain()
    await eventually(() => isConnected(host), 'a new connection')
    await database.query('INSERT INTO t VALUES (1)')
    expect(await wal.count(1)).toMatchObject([{ new: ['1'] }])
  })

  test('close() waits for it, and removes what was the session’s own', async () => {
    await using database = await postgres.createDatabase()
    const wal = await testSession({ connection: database.url })
    const unlock = await locked(database, 'pg_publication')
    const closing = wal.session.close()
    closing.catch(() => undefined)
    const monitor = await database.connect()
    await eventually(async () => (await monitor.query(WAITING)).rowCount !== 0, 'a statement that waits')
    await unlock()
    await closing
    await monitor.end()
    expect(await database.query(PUBLICATIONS)).toEqual([])
  })

  test('close() ends all the same, and the next client removes what was left', { timeout: 60_000 }, async () => {
    await using database = await postgres.createDatabase()
    const wal = await testSession({ connection: database.url })
    const unlock = await locked(database, 'pg_publication')
    await wal.session.close()
    await unlock()
    let left: readonly object[] = []
    await eventually(async () => {
      const next = await testSession({ connection: database.url })
      await next.session.close()
      left = await database.query(PUBLICATIONS)
      return left.length === 0
    }, 'a client that finds that the first one has ended')
    expect(left).toEqual([])
  })
})
