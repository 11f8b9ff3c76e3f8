import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { notices } from '../testing/notices.ts'
import type { TestHost, TestSession } from '../testing/test-session.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'

const TABLES = 'CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY)'
const EVERYTHING = `publish = 'insert, update, delete, truncate'`

/** What somebody does to the publication :p, and from which version of PostgreSQL on that can be done. */
const ALTERATIONS: readonly (readonly [what: string, statement: string, version: number])[] = [
  ['a row filter', 'ALTER PUBLICATION :p SET TABLE t WHERE (id > 100)', 15],
  ['a column list', 'ALTER PUBLICATION :p SET TABLE t (id)', 15],
  ['fewer operations', `ALTER PUBLICATION :p SET (publish = 'update, delete')`, 14],
  ['partitions by themselves', 'ALTER PUBLICATION :p SET (publish_via_partition_root = false)', 14],
]

const reasons = ({ host }: { readonly host: TestHost }): readonly string[] =>
  notices(host, 'gap').map(({ reason }) => reason)

async function gaps(wal: TestSession, count: number): Promise<readonly string[]> {
  await eventually(() => reasons(wal).length >= count, `${count} gaps`)
  return reasons(wal)
}

/** A session that captures t, and the name of its publication of all operations. */
async function capturing(database: TestDatabase): Promise<{ readonly wal: TestSession; readonly all: string }> {
  await database.query(TABLES)
  const wal = await testSession({ connection: database.url })
  await wal.session.capture([wanted('t')])
  const [row] = await database.query(`SELECT pubname AS name FROM pg_publication WHERE pubname ~ '_all$'`)
  return { wal, all: String(row?.['name']) }
}

describePostgres('a publication that somebody alters', (postgres) => {
  test.each([
    ['a table taken out and put back', 'ALTER PUBLICATION :p DROP TABLE t; ALTER PUBLICATION :p ADD TABLE t'],
    ['another name', 'ALTER PUBLICATION :p RENAME TO other; ALTER PUBLICATION other RENAME TO :p'],
    ['fewer operations', `ALTER PUBLICATION :p SET (publish = 'insert'); ALTER PUBLICATION :p SET (${EVERYTHING})`],
  ])('between two looks is a gap: %s', async (_, statements) => {
    await using database = await postgres.createDatabase()
    const { wal, all } = await capturing(database)
    await using _wal = wal
    await database.query(`BEGIN; ${statements.replaceAll(':p', all)}; COMMIT`)
    expect(await gaps(wal, 1)).toEqual([expect.stringMatching(/public\.t.*for a while.*until now/s)])
    // What a look finds that comes after.
    await database.query('ALTER TABLE t RENAME TO t_old; CREATE TABLE t (id int PRIMARY KEY)')
    expect(await gaps(wal, 2)).toEqual([expect.anything(), expect.stringContaining('Another table is called')])
  })

  test('between a look and the capture of another table is a gap', async () => {
    await using database = await postgres.createDatabase()
    const { wal, all } = await capturing(database)
    await using _wal = wal
    await database.query(`ALTER PUBLICATION ${all} DROP TABLE t; ALTER PUBLICATION ${all} ADD TABLE t`)
    await wal.session.capture([wanted('t'), wanted('u')])
    await database.query('INSERT INTO u VALUES (1)')
    await wal.count(1)
    await database.query('DROP TABLE u')
    const told = await gaps(wal, 2)
    expect(told).toEqual([
      expect.stringMatching(/public\.t.*for a while/s),
      expect.stringContaining('public.u was dropped'),
    ])
  })

  test('for a while is told once: the next session with the subscription hears nothing of it', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const open = (): Promise<TestSession> =>
      testSession({ connection: database.url, host: testHost({ name: 'billing' }), keepsNotices: true })
    const first = await open()
    await first.session.capture([wanted('t'), wanted('u')])
    const all = 'rowtap_s_billing_all'
    await database.query(`ALTER PUBLICATION ${all} DROP TABLE t; ALTER PUBLICATION ${all} ADD TABLE t`)
    expect(await gaps(first, 1)).toEqual([expect.stringMatching(/public\.t.*for a while/s)])
    // By the time that this is told, that is written down.
    await database.query('DROP TABLE u')
    await gaps(first, 2)
    await first.session.close()
    const second = await open()
    await using _second = second
    expect(reasons(second)).toEqual([expect.stringContaining('public.u was dropped')])
  })

  test('is not what the client itself does', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using wal = await testSession({ connection: database.url })
    await wal.session.capture([wanted('t', ['insert'])])
    await wal.session.capture([wanted('t')])
    await wal.session.capture([wanted('t'), wanted('u', ['insert'])])
    await wal.session.capture([wanted('u')])
    await wal.session.capture([wanted('t'), wanted('u')])
    await database.query('ALTER TABLE t ADD COLUMN w int; ALTER TABLE t ALTER COLUMN v SET STATISTICS 10; ANALYZE t')
    await database.query('DROP TABLE u')
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('public.u was dropped')])
  })

  test.for(ALTERATIONS)(
    'for good is a gap, and is put right by who listens again: %s',
    async ([, statement, version], { skip }) => {
      skip(postgres.version < version, `PostgreSQL ${version} and later`)
      await using database = await postgres.createDatabase()
      const { wal, all } = await capturing(database)
      await using _wal = wal
      await database.query(statement.replaceAll(':p', all))
      expect(await gaps(wal, 1)).toEqual([expect.stringMatching(/Not all changes of public\.t.*listen to it again/s)])
      await wal.session.capture([])
      await wal.session.capture([wanted('t')])
      await database.query('INSERT INTO t VALUES (1, 2)')
      expect(await wal.count(1)).toMatchObject([{ kind: 'insert', table: 't', new: ['1', '2'] }])
    },
  )

  test.for(ALTERATIONS)('is put right when another table is captured: %s', async ([, statement, version], { skip }) => {
    skip(postgres.version < version, `PostgreSQL ${version} and later`)
    await using database = await postgres.createDatabase()
    const { wal, all } = await capturing(database)
    await using _wal = wal
    await database.query(statement.replaceAll(':p', all))
    await wal.session.capture([wanted('t'), wanted('u')])
    expect(reasons(wal).length).toBeGreaterThan(0)
    await database.query('INSERT INTO t VALUES (1, 2)')
    expect(await wal.count(1)).toMatchObject([{ kind: 'insert', table: 't', new: ['1', '2'] }])
  })

  test.for(ALTERATIONS)(
    'while nobody has the subscription is a gap, and put right: %s',
    async ([, statement, version], { skip }) => {
      skip(postgres.version < version, `PostgreSQL ${version} and later`)
      await using database = await postgres.createDatabase()
      await database.query(TABLES)
      const open = (): Promise<TestSession> =>
        testSession({ connection: database.url, host: testHost({ name: 'billing' }), keepsNotices: true })
      const first = await open()
      await first.session.capture([wanted('t')])
      await first.session.close()
      await database.query(statement.replaceAll(':p', 'rowtap_s_billing_all'))
      const untold = await open()
      expect(reasons(untold)).toHaveLength(1)
      await untold.session.close()
      const second = await open()
      // Who was told before has captured nothing.
      expect(reasons(second)).toEqual([expect.stringMatching(/public\.t.*while the subscription did not run/s)])
      await second.session.capture([wanted('t')])
      await database.query('INSERT INTO t VALUES (1, 2)')
      expect(await second.count(1)).toMatchObject([{ kind: 'insert', table: 't', new: ['1', '2'] }])
      await second.session.close()
      const third = await open()
      await using _third = third
      expect(reasons(third)).toEqual([])
    },
  )

  test('leaves columns that a list does not have unavailable', async ({ skip }) => {
    skip(postgres.version < 15, 'PostgreSQL 15 and later')
    await using database = await postgres.createDatabase()
    const { wal, all } = await capturing(database)
    await using _wal = wal
    await database.query(`ALTER PUBLICATION ${all} SET TABLE t (id)`)
    await database.query('INSERT INTO t VALUES (1, 2)')
    expect(await wal.count(1)).toMatchObject([{ columns: ['id integer', 'v integer'], new: ['1', undefined] }])
  })
})
