import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import type { TestSession } from '../testing/test-session.ts'
import { testSession, wanted } from '../testing/test-session.ts'

/** The reasons of the gaps so far, as soon as there are so many. */
async function gaps({ host }: TestSession, count: number): Promise<readonly string[]> {
  await eventually(() => host.notices.length >= count, `${count} gaps`)
  return host.notices.map((notice) => (notice.kind === 'gap' ? notice.reason : notice.kind))
}

/** Makes tables, and a session that captures those that are named. */
async function capturing(database: TestDatabase, tables: string, ...names: readonly string[]): Promise<TestSession> {
  await database.query(tables)
  const wal = await testSession({ connection: database.url })
  await wal.session.capture(names.map((name) => wanted(name)))
  return wal
}

const PARTITIONED = `
  CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE r_0 PARTITION OF r FOR VALUES FROM (0) TO (10)`

describePostgres('the watch of captured tables', (postgres) => {
  test('a renamed table is captured on under the name that it was attached with, and nobody else is disturbed', async () => {
    await using database = await postgres.createDatabase()
    const tables = 'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)'
    await using wal = await capturing(database, tables, 't')
    await database.query('ALTER TABLE t RENAME TO renamed')
    await database.query('INSERT INTO renamed VALUES (1)')
    await wal.session.capture([wanted('t'), wanted('other')])
    await database.query('INSERT INTO renamed VALUES (2)')
    expect(await wal.count(2)).toMatchObject([
      { table: 't', new: ['1'] },
      { table: 't', new: ['2'] },
    ])
    await expect(wal.session.capture([wanted('t'), wanted('renamed')])).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('the same table'),
    })
    await wal.session.capture([wanted('renamed')])
    await database.query('INSERT INTO renamed VALUES (3)')
    expect((await wal.count(3))[2]).toMatchObject({ table: 'renamed', new: ['3'] })
    expect(wal.host.notices).toEqual([])
  })

  test('a table that another one takes the name of is a gap, and listening again captures the other one', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, 'CREATE TABLE t (id int PRIMARY KEY)', 't')
    await database.query('BEGIN; ALTER TABLE t RENAME TO t_old; CREATE TABLE t (id int PRIMARY KEY); COMMIT')
    expect(await gaps(wal, 1)).toEqual([expect.stringMatching(/Another table is called public\.t now.*public\.t_old/s)])
    await wal.session.capture([])
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t_old VALUES (1); INSERT INTO t VALUES (2)')
    expect(await wal.count(1)).toMatchObject([{ table: 't', new: ['2'] }])
  })

  test('a dropped table is a gap, and so is one that is made again', async () => {
    await using database = await postgres.createDatabase()
    const tables = 'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)'
    await using wal = await capturing(database, tables, 't')
    await database.query('DROP TABLE t')
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('public.t was dropped')])
    await wal.session.capture([wanted('t'), wanted('other')])
    await wal.session.capture([wanted('other'), wanted('t')])
    await database.query('INSERT INTO other VALUES (1)')
    await wal.count(1)
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await wal.session.capture([wanted('t'), wanted('other')])
    await database.query('INSERT INTO t VALUES (2)')
    expect((await wal.count(2))[1]).toMatchObject({ table: 't', new: ['2'] })
  })

  test('a table that takes the place of another while others are attached is a gap at once', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, 'CREATE TABLE t (id int PRIMARY KEY)', 't')
    await database.query('ALTER TABLE t RENAME TO t_old; CREATE TABLE t (id int PRIMARY KEY)')
    await wal.session.capture([wanted('t')])
    expect(wal.host.notices).toContainEqual(
      expect.objectContaining({ kind: 'gap', reason: expect.stringContaining('until now') }),
    )
    await database.query('INSERT INTO t_old VALUES (1); INSERT INTO t VALUES (2)')
    expect(await wal.count(1)).toMatchObject([{ table: 't', new: ['2'] }])
  })

  test('a table that was dropped and made again between two looks is a gap', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, 'CREATE TABLE t (id int PRIMARY KEY)', 't')
    await database.query('DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY)')
    expect(await gaps(wal, 1)).toEqual([expect.stringMatching(/public\.t was dropped.*made since/s)])
  })

  test('a table that another one had the name of between two looks is a gap, and one that was altered is none', async () => {
    await using database = await postgres.createDatabase()
    const tables = ['t', 'u', 'v'].map((name) => `CREATE TABLE ${name} (id int PRIMARY KEY)`).join(';')
    await using wal = await capturing(database, tables, 't', 'u', 'v')
    // A look has been at all of them when this is told.
    await database.query('DROP TABLE u')
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('public.u was dropped')])
    await database.query(
      'ALTER TABLE t ADD COLUMN w int DEFAULT 3; ALTER TABLE t OWNER TO CURRENT_USER; GRANT SELECT ON t TO PUBLIC',
    )
    await database.query('VACUUM FULL t')
    await database.query('DROP TABLE v')
    expect(await gaps(wal, 2)).toEqual([expect.anything(), expect.stringContaining('public.v was dropped')])
    await database.query(`
      BEGIN; ALTER TABLE t RENAME TO other; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); DROP TABLE t;
      ALTER TABLE other RENAME TO t; COMMIT`)
    expect((await gaps(wal, 3))[2]).toMatch(/public\.t was called otherwise for a while/)
  })

  test('a table that somebody takes out of the publication is a gap', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, 'CREATE TABLE t (id int PRIMARY KEY)', 't')
    const [row] = await database.query(`SELECT pubname AS name FROM pg_publication WHERE pubname ~ '_all$'`)
    await database.query(`ALTER PUBLICATION ${String(row?.['name'])} DROP TABLE t`)
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('took public.t out of the publication')])
  })

  test('a partition that comes or goes with its rows is a gap, and one that is made is none', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, `${PARTITIONED}; CREATE TABLE r_1 (id int PRIMARY KEY)`, 'r')
    await database.query('CREATE TABLE r_2 PARTITION OF r FOR VALUES FROM (20) TO (30)')
    await database.query('ALTER TABLE r_2 ALTER COLUMN id SET STATISTICS 10')
    await database.query('INSERT INTO r VALUES (20)')
    await wal.count(1)
    await database.query('ALTER TABLE r ATTACH PARTITION r_1 FOR VALUES FROM (10) TO (20)')
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('public.r_1 became a partition of public.r')])
    await database.query('ALTER TABLE r DETACH PARTITION r_0')
    expect(await gaps(wal, 2)).toEqual([
      expect.anything(),
      expect.stringContaining('public.r_0 is no partition of public.r any more'),
    ])
  })

  test('a partition that was made, filled and attached by one transaction is a gap', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, PARTITIONED, 'r')
    await database.query(`
      BEGIN;
      CREATE TABLE r_1 (LIKE r INCLUDING ALL);
      INSERT INTO r_1 VALUES (10);
      ALTER TABLE r ATTACH PARTITION r_1 FOR VALUES FROM (10) TO (20);
      COMMIT`)
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('public.r_1 became a partition of public.r')])
  })

  test('so is one whose every column the same transaction altered after that', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, PARTITIONED, 'r')
    await database.query(`
      BEGIN;
      CREATE TABLE r_1 (LIKE r INCLUDING ALL);
      ALTER TABLE r_1 ADD COLUMN gone int;
      ALTER TABLE r_1 DROP COLUMN gone;
      INSERT INTO r_1 VALUES (10);
      ALTER TABLE r ATTACH PARTITION r_1 FOR VALUES FROM (10) TO (20);
      ALTER TABLE r_1 ALTER COLUMN id SET STATISTICS 10;
      COMMIT`)
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('public.r_1 became a partition of public.r')])
  })

  test('a partition that was made is none, whatever its columns have, and whichever of them the same transaction altered', async () => {
    await using database = await postgres.createDatabase()
    const tables = `
      CREATE TABLE wide (
        id bigserial, made timestamptz NOT NULL DEFAULT now(), note text DEFAULT '' CHECK (note <> 'x'),
        doubled int GENERATED ALWAYS AS (2 * length(note)) STORED, PRIMARY KEY (id)
      ) PARTITION BY RANGE (id);
      CREATE INDEX ON wide (made);
      CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE r_0 PARTITION OF r FOR VALUES FROM (0) TO (10)`
    await using wal = await capturing(database, tables, 'wide', 'r')
    await database.query('CREATE TABLE wide_0 PARTITION OF wide FOR VALUES FROM (0) TO (10)')
    await database.query(`
      BEGIN;
      CREATE TABLE wide_1 PARTITION OF wide (note DEFAULT 'y' NOT NULL) FOR VALUES FROM (10) TO (20);
      ALTER TABLE wide_1 ALTER COLUMN note SET STATISTICS 10, ALTER COLUMN made SET STATISTICS 10;
      INSERT INTO wide (id) VALUES (10);
      COMMIT`)
    await wal.count(1)
    // What a look finds that comes after these.
    await database.query('ALTER TABLE r DETACH PARTITION r_0')
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('public.r_0 is no partition')])
  })

  test.each(['TRUNCATE r_0', 'VACUUM FULL r_0', 'BEGIN; TRUNCATE r_0; INSERT INTO r VALUES (2); COMMIT'])(
    'a partition that may have been emptied is a gap: %s',
    async (statement) => {
      await using database = await postgres.createDatabase()
      const tables = `${PARTITIONED}; CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM (10) TO (20); INSERT INTO r VALUES (1)`
      await using wal = await capturing(database, tables, 'r')
      await database.query(statement)
      expect(await gaps(wal, 1)).toEqual([
        expect.stringMatching(/^public\.r_0: emptied \(TRUNCATE of a partition of public\.r, .* or rewritten/),
      ])
      await database.query('INSERT INTO r VALUES (11)')
      await eventually(() => wal.changes.at(-1)?.new?.[0] === '11', 'what follows')
      expect(wal.host.notices).toHaveLength(1)
    },
  )

  test('a partition that was emptied before anybody has seen it is a gap', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, PARTITIONED, 'r')
    await database.query(`
      BEGIN; CREATE TABLE r_9 PARTITION OF r FOR VALUES FROM (90) TO (100); INSERT INTO r VALUES (90); COMMIT;
      BEGIN; TRUNCATE r_9; COMMIT`)
    expect(await wal.count(1)).toMatchObject([{ kind: 'insert', new: ['90'] }])
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('public.r_9: emptied')])
  })

  test('a truncate of the whole table is delivered, and no gap', async () => {
    await using database = await postgres.createDatabase()
    const tables = `${PARTITIONED}; CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM (10) TO (20); INSERT INTO r VALUES (1)`
    await using wal = await capturing(database, tables, 'r')
    await database.query('TRUNCATE r')
    // Once this is told, the one before would have been.
    await wal.count(1)
    await database.query('TRUNCATE r_1')
    expect(await gaps(wal, 1)).toEqual([expect.stringMatching(/^public\.r_1: emptied/)])
    expect(wal.changes).toMatchObject([{ kind: 'truncate', table: 'r' }])
  })

  test('an unlogged partition is a gap', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, PARTITIONED, 'r')
    await database.query('CREATE UNLOGGED TABLE r_1 PARTITION OF r FOR VALUES FROM (10) TO (20)')
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('public.r_1, a partition of public.r, is unlogged')])
  })

  test('a captured table that becomes a partition of another one is a gap', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, `${PARTITIONED}; CREATE TABLE r_1 (id int PRIMARY KEY)`, 'r_1', 'r')
    await database.query('ALTER TABLE r ATTACH PARTITION r_1 FOR VALUES FROM (10) TO (20)')
    expect((await gaps(wal, 2)).toSorted()).toEqual([
      expect.stringContaining('public.r_1 became a partition of public.r'),
      expect.stringContaining('public.r_1 is a partition of a table that is captured'),
    ])
  })

  test('a table that loses its identity can soon be written to again, and goes on with inserts', async () => {
    await using database = await postgres.createDatabase()
    await using wal = await capturing(database, 'CREATE TABLE t (id int CONSTRAINT t_pkey PRIMARY KEY, v int)', 't')
    await database.query('INSERT INTO t VALUES (1, 1); ALTER TABLE t DROP CONSTRAINT t_pkey')
    expect(await gaps(wal, 1)).toEqual([
      expect.stringMatching(/Updates and deletes of public\.t are not captured.*REPLICA IDENTITY FULL/s),
    ])
    await database.query('UPDATE t SET v = 2; DELETE FROM t; INSERT INTO t VALUES (2, 2)')
    await wal.session.capture([wanted('t')])
    expect(await wal.count(2)).toMatchObject([
      { kind: 'insert', new: ['1', '1'] },
      { kind: 'insert', new: ['2', '2'] },
    ])
    await database.query('ALTER TABLE t ADD PRIMARY KEY (id)')
    await wal.session.capture([wanted('t')])
    await database.query('UPDATE t SET v = 3')
    expect((await wal.count(3))[2]).toMatchObject({ kind: 'update', new: ['2', '3'] })
  })

  test('a virtual generated column that comes under full identity keeps nobody from writing', async ({ skip }) => {
    skip(postgres.version < 18, 'PostgreSQL 18 and later')
    await using database = await postgres.createDatabase()
    const table = 'CREATE TABLE t (id int PRIMARY KEY, v int); ALTER TABLE t REPLICA IDENTITY FULL'
    await using wal = await capturing(database, table, 't')
    await database.query('ALTER TABLE t ADD COLUMN doubled int GENERATED ALWAYS AS (v * 2) VIRTUAL')
    expect(await gaps(wal, 1)).toEqual([expect.stringContaining('virtual generated column')])
    await database.query('INSERT INTO t VALUES (1, 1); UPDATE t SET v = 2')
    await wal.count(1)
  })
})
