import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { describe, expect, test } from 'vitest'
import { notices } from '../testing/notices.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'

const QUICK = { minDelayMs: 10, maxDelayMs: 100 }
const LOST = { code: 'ERR_POSITION_LOST', message: expect.stringContaining('publications were dropped') }

/** Drops one of a client's two publications. */
async function drop(database: TestDatabase, kind: string): Promise<void> {
  const [row] = await database.query(`SELECT pubname FROM pg_publication WHERE pubname LIKE '%' || $1`, [kind])
  await database.query(`DROP PUBLICATION "${String(row?.['pubname'])}"`)
}

describe.each(['_all', '_inserts'])('a running client whose publication …%s is dropped', (kind) => {
  describePostgres('while it captures a table', (postgres) => {
    test('ends where it has a subscription, also when nothing is written any more', async () => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      const host = testHost({ name: 'billing' })
      await using wal = await testSession({ connection: database.url, host, reconnect: QUICK })
      await wal.session.capture([wanted('t')])
      await drop(database, kind)
      await expect(wal.reading).rejects.toMatchObject(LOST)
      await expect(wal.session.capture([wanted('t')])).rejects.toMatchObject(LOST)
    })

    test('ends at once where it is not to connect again', async () => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      const host = testHost({ name: 'billing' })
      await using wal = await testSession({ connection: database.url, host, reconnect: false })
      await wal.session.capture([wanted('t')])
      await drop(database, kind)
      await expect(wal.reading).rejects.toMatchObject({ code: 'ERR_POSITION_LOST' })
    })

    test.each([undefined, { name: 'billing', onPositionLost: 'restart' as const }])(
      'goes on with a gap where it may (%o)',
      async (subscription) => {
        await using database = await postgres.createDatabase()
        await database.query('CREATE TABLE t (id int PRIMARY KEY)')
        const host = testHost(subscription)
        await using wal = await testSession({ connection: database.url, host, reconnect: QUICK })
        await wal.session.capture([wanted('t')])
        await drop(database, kind)
        await eventually(() => notices(host, 'gap').length > 0, 'a gap')
        await database.query('INSERT INTO t VALUES (1)')
        await wal.count(1)
        expect(notices(host, 'gap')).toMatchObject([{ reason: expect.stringContaining('dropped') }])
      },
    )
  })

  describePostgres('before it captures a table', (postgres) => {
    test('captures none where it has a subscription', async () => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      const host = testHost({ name: 'billing' })
      await using wal = await testSession({ connection: database.url, host, reconnect: QUICK })
      await drop(database, kind)
      await expect(wal.session.capture([wanted('t')])).rejects.toMatchObject(LOST)
    })

    test('captures it all the same where it has none', async () => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      await using wal = await testSession({ connection: database.url, reconnect: QUICK })
      await drop(database, kind)
      await wal.session.capture([wanted('t')])
      await database.query('INSERT INTO t VALUES (1)')
      expect(await wal.count(1)).toMatchObject([{ new: ['1'] }])
    })
  })
})
