import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually, startPostgres, tcpProxy } from '@rowtap/driver-testkit'
import { describe, expect, test } from 'vitest'
import { isConnected, notices } from '../testing/notices.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

const QUICK = { minDelayMs: 10, maxDelayMs: 100 }

describe('a session whose server', () => {
  test.each(['fast', 'immediate'] as const)(
    'is started again (%s) goes on: with a subscription whole, without one with a gap',
    { timeout: 60_000 },
    async (mode) => {
      await using server = await startPostgres({ sources: ['embedded'], settings: { fsync: 'on' } })
      const database = await server.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      const host = testHost({ name: 'billing' })
      await using durable = await testSession({ connection: database.url, host, reconnect: QUICK })
      await using ephemeral = await testSession({ connection: database.url, reconnect: QUICK })
      await durable.session.capture([wanted('t')])
      await ephemeral.session.capture([wanted('t')])
      await database.query('INSERT INTO t VALUES (1)')
      await Promise.all([durable.count(1), ephemeral.count(1)])
      const writer = await database.connect()
      const ended = new Promise<void>((resolve) => {
        writer.on('end', () => resolve())
      })
      await server.restart(mode)
      await ended
      await eventually(() => isConnected(host) && isConnected(ephemeral.host), 'both are connected again')
      await eventually(() => notices(ephemeral.host, 'gap').length === 1, 'the gap is told')
      const next = await database.connect()
      await next.query('INSERT INTO t VALUES (2)')
      expect((await durable.count(2)).map((change) => change.new)).toEqual([['1'], ['2']])
      expect((await ephemeral.count(2)).map((change) => change.new)).toEqual([['1'], ['2']])
      expect(notices(host, 'gap')).toEqual([])
    },
  )

  test('has thrown the log away says so, and begins anew when it is told to', { timeout: 60_000 }, async () => {
    await using server = await startPostgres({ settings: { max_slot_wal_keep_size: '1MB' } })
    const database = await server.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const first = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    await first.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    await first.count(1)
    await first.session.close()
    await fillLog(database, 1)
    await expect(walDriver({ connection: database.url }).open(testHost({ name: 'billing' }))).rejects.toMatchObject({
      code: 'ERR_POSITION_LOST',
      message: expect.stringMatching(/wal_removed.*max_slot_wal_keep_size.*onPositionLost: 'restart'/),
    })
    const host = testHost({ name: 'billing', onPositionLost: 'restart' })
    await using again = await testSession({ connection: database.url, host, keepsNotices: true })
    expect(notices(host, 'gap')).toMatchObject([{ from: expect.any(String), to: expect.any(String) }])
    expect(again.session.resumed).toHaveLength(1)
    await again.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (2)')
    expect((await again.count(1)).map((change) => change.new)).toEqual([['2']])
  })

  test(
    'throws the log away while it is not reached is begun anew, or not, as it is told to',
    { timeout: 60_000 },
    async () => {
      await using server = await startPostgres({ settings: { max_slot_wal_keep_size: '1MB' } })
      const database = await server.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      await using proxy = await tcpProxy(database.url)
      const connection = { connectionString: proxy.url, connectionTimeoutMillis: 500 }
      const options = { connection, livenessMs: 300, reconnect: QUICK }
      const host = testHost({ name: 'restarts', onPositionLost: 'restart' })
      await using restarts = await testSession({ ...options, host })
      await using stops = await testSession({ ...options, host: testHost({ name: 'stops' }) })
      for (const { session } of [restarts, stops]) await session.capture([wanted('t')])
      await database.query('INSERT INTO t VALUES (1)')
      const [first] = await restarts.count(1)
      await stops.count(1)
      proxy.freeze()
      await fillLog(database, 2)
      proxy.thaw()
      await expect(stops.reading).rejects.toMatchObject({ code: 'ERR_POSITION_LOST' })
      await eventually(() => notices(host, 'gap').length > 0, 'a gap')
      expect(notices(host, 'gap')).toMatchObject([{ from: first?.position, to: expect.any(String) }])
      await database.query('INSERT INTO t VALUES (2)')
      expect((await restarts.count(2)).map((change) => change.new)).toEqual([['1'], ['2']])
    },
  )
})

/** Writes until so many slots have lost what they need. */
async function fillLog(database: TestDatabase, slots: number): Promise<void> {
  await eventually(async () => {
    await database.query('CREATE TABLE filler AS SELECT generate_series(1, 10000) AS i')
    await database.query('DROP TABLE filler; SELECT pg_switch_wal()')
    await database.query('CHECKPOINT')
    const lost = await database.query(`SELECT slot_name FROM pg_replication_slots WHERE wal_status = 'lost'`)
    return lost.length === slots
  }, `${slots} slots are lost`)
}
