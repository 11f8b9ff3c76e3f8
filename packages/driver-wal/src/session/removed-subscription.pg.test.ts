import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { inspectWal } from '../health/inspect-wal.ts'
import { isConnected, notices } from '../testing/notices.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { uninstallWal } from '../uninstall/uninstall-wal.ts'
import { walObjects } from '../uninstall/wal-objects.ts'

const QUICK = { minDelayMs: 10, maxDelayMs: 100 }
const REMOVED = 'its replication slot and publications were dropped'

/** Removes what a subscription has while it runs, as the command does: its lock is held until all is gone. */
async function removeAll({ url: connection }: TestDatabase): Promise<void> {
  const objects = walObjects(await inspectWal({ connection, sampleMs: 0 }))
  expect(objects).toHaveLength(3)
  const removals = await uninstallWal({ connection, objects, force: true })
  expect(removals.map(({ error }) => error)).toEqual([null, null, null])
}

describePostgres('a running subscription whose slot and publications are removed', (postgres) => {
  test('ends with the reason, and makes nothing anew', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({ connection: database.url, host, reconnect: QUICK })
    await wal.session.capture([wanted('t')])
    await removeAll(database)
    await expect(wal.reading).rejects.toMatchObject({
      code: 'ERR_POSITION_LOST',
      message: expect.stringContaining(REMOVED),
    })
    await expect(wal.session.capture([wanted('t')])).rejects.toMatchObject({ code: 'ERR_POSITION_LOST' })
    expect(notices(host, 'gap')).toEqual([])
    await wal.session.close()
    expect(
      await database.query(`
        SELECT pubname FROM pg_publication
        UNION ALL SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`),
    ).toEqual([])
  })

  test('ends with the reason, too, where its tables have no listeners yet, and where it has messages only', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const connection = database.url
    const first = await testSession({ connection, host: testHost({ name: 'billing' }) })
    await first.session.capture([wanted('t')])
    await first.session.close()
    for (const host of [testHost({ name: 'billing' }), { ...testHost({ name: 'billing' }), messages: true }]) {
      await using wal = await testSession({ connection, host, reconnect: QUICK })
      expect(wal.session.resumed).toHaveLength(host.messages ? 0 : 1)
      await removeAll(database)
      await expect(wal.reading).rejects.toMatchObject({
        code: 'ERR_POSITION_LOST',
        message: expect.stringContaining(REMOVED),
      })
    }
  })

  test('begins anew where it is told to, with a gap that says so', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const host = testHost({ name: 'billing', onPositionLost: 'restart' })
    await using wal = await testSession({ connection: database.url, host, reconnect: QUICK })
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    const [first] = await wal.count(1)
    await removeAll(database)
    await eventually(() => notices(host, 'gap').length > 0, 'a gap')
    expect(notices(host, 'gap')).toMatchObject([
      {
        from: first?.position,
        to: expect.any(String),
        reason: `Subscription "billing" begins anew: ${REMOVED}.`,
      },
    ])
    await database.query('INSERT INTO t VALUES (2)')
    expect((await wal.count(2)).map((change) => change.new)).toEqual([['1'], ['2']])
  })

  test('goes on where nothing was captured yet: nothing is missing', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({ connection: database.url, host, reconnect: QUICK })
    await removeAll(database)
    await eventually(() => isConnected(host), 'it is connected again')
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    expect((await wal.count(1)).map((change) => change.new)).toEqual([['1']])
    expect(notices(host, 'gap')).toEqual([])
  })
})
