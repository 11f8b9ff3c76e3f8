import { cutConnections, eventually, tcpProxy } from '@rowtap/driver-testkit'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { isConnected, notices } from '../testing/notices.ts'
import type { TestSession } from '../testing/test-session.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'

const TABLES = `
  CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY);
  CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE r_0 PARTITION OF r FOR VALUES FROM (0) TO (10)`
const ALL = [wanted('t'), wanted('u'), wanted('r')]
const TAKE_OUT = 'ALTER PUBLICATION rowtap_s_billing_all DROP TABLE t'

const open = (connection: string): Promise<TestSession> =>
  testSession({
    connection,
    host: testHost({ name: 'billing' }),
    keepsNotices: true,
    reconnect: { minDelayMs: 10, maxDelayMs: 100 },
  })

/** The tables of which the next session takes up what was kept, and what it is told. */
async function takenUp(database: TestDatabase): Promise<{ readonly tables: string; readonly gaps: number }> {
  await using wal = await open(database.url)
  const { snapshots } = wal.session
  const names = ['t', 'u', 'r'].filter((name) => snapshots?.resumes?.({ schema: 'public', name }) === true)
  expect(snapshots?.resumed).toBe('kept')
  return { tables: names.join(' '), gaps: notices(wal.host, 'gap').length }
}

/** A session that captures every table, and has kept something. */
async function kept(connection: string): Promise<TestSession> {
  const wal = await open(connection)
  await wal.session.capture(ALL)
  await wal.session.snapshots?.saveProgress('kept')
  return wal
}

const gap = (wal: TestSession): Promise<void> => eventually(() => notices(wal.host, 'gap').length > 0, 'a gap')

/** What happens after something was kept, and ends before anything else is. */
const STORIES: Readonly<Record<string, (wal: TestSession, database: TestDatabase) => Promise<unknown>>> = {
  nothing: async () => undefined,
  'a table is wanted no more, and then again': async ({ session }) => {
    await session.capture([wanted('u'), wanted('r')])
    await session.capture(ALL)
  },
  'somebody takes a table out': async (wal, database) => {
    await database.query(TAKE_OUT)
    await gap(wal)
    await wal.session.capture(ALL)
  },
  'somebody takes a table out and puts it back': async (wal, database) => {
    await database.query(`${TAKE_OUT}; ALTER PUBLICATION rowtap_s_billing_all ADD TABLE t`)
    await wal.session.capture(ALL)
    await gap(wal)
  },
  'updates of a table are not captured any more': async (wal, database) => {
    await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey')
    await gap(wal)
  },
  'a partition leaves with its rows': async (wal, database) => {
    await database.query('ALTER TABLE r DETACH PARTITION r_0')
    await gap(wal)
  },
  'a partition is emptied': async (wal, database) => {
    await database.query('TRUNCATE r_0')
    await gap(wal)
  },
  'a partition is made': async (_, database) => {
    await database.query('CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM (10) TO (20)')
  },
}

describePostgres('what is kept of snapshots', (postgres) => {
  test.each([
    ['nothing', 't u r'],
    ['a table is wanted no more, and then again', 'u r'],
    ['somebody takes a table out', 'u r'],
    ['somebody takes a table out and puts it back', 'u r'],
    ['updates of a table are not captured any more', 'u r'],
    ['a partition leaves with its rows', 't u'],
    ['a partition is emptied', 't u'],
    ['a partition is made', 't u r'],
  ])('holds of tables without a break only, where it was not kept again since: %s', async (story, expected) => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const wal = await kept(database.url)
    await STORIES[story]?.(wal, database)
    await wal.session.close()
    expect(await takenUp(database)).toEqual({ tables: expected, gaps: 0 })
  })

  test.each(['somebody takes a table out', 'a partition leaves with its rows', 'a partition is emptied'])(
    'holds of every table where it was kept again since: %s',
    async (story) => {
      await using database = await postgres.createDatabase()
      await database.query(TABLES)
      const wal = await kept(database.url)
      await STORIES[story]?.(wal, database)
      await wal.session.snapshots?.saveProgress('kept')
      await wal.session.close()
      expect(await takenUp(database)).toEqual({ tables: 't u r', gaps: 0 })
    },
  )

  test.each([
    ['a table is taken out', TAKE_OUT, 'u r'],
    ['a partition leaves with its rows', 'ALTER TABLE r DETACH PARTITION r_0', 't u'],
  ])('holds of the other tables where, while nobody looks, %s', async (_, statement, tables) => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await (await kept(database.url)).session.close()
    await database.query(statement)
    expect(await takenUp(database)).toEqual({ tables, gaps: 1 })
    // Nobody has captured them since.
    expect(await takenUp(database)).toEqual({ tables, gaps: 1 })
  })

  test('holds where more is published of a table than before, and where the connection is lost', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const wal = await open(database.url)
    const some = [wanted('t', ['insert']), wanted('u'), wanted('r')]
    await wal.session.capture(some)
    await wal.session.snapshots?.saveProgress('kept')
    await wal.session.capture(ALL)
    await cutConnections(database)
    await wal.session.capture(ALL)
    await wal.session.close()
    expect(await takenUp(database)).toEqual({ tables: 't u r', gaps: 0 })
  })

  test('does not hold of a table that another process captured for a while', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using proxy = await tcpProxy(database.url)
    const wal = await kept(proxy.url)
    // Nobody answers there.
    proxy.leadTo('postgresql://127.0.0.1:1')
    proxy.cut()
    const other = await open(database.url)
    await other.session.capture([wanted('u'), wanted('r')])
    await other.session.close()
    proxy.leadTo(database.url)
    await eventually(() => isConnected(wal.host), 'it has the subscription again')
    await wal.session.capture(ALL)
    await wal.session.close()
    expect(await takenUp(database)).toEqual({ tables: 'u r', gaps: 0 })
  })
})
