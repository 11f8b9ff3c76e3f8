import { RowtapError } from '@rowtap/core/driver'
import { eventually } from '@rowtap/driver-testkit'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import type { TestSession } from '../testing/open-test-session.ts'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

/** Opens a session that looks often whether its tables are still captured. */
function openWatching(database: TestDatabase): Promise<TestSession> {
  return openTestSession({ connection: database.url, leaseMs: 1000 })
}

function gapsOf(session: TestSession): string[] {
  return session.notices.flatMap((notice) => (notice.kind === 'gap' ? [notice.reason] : []))
}

describePostgres('partitions', (postgres) => {
  test('a partitioned table that is detached, or attached, takes its rows along to its listener', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE r (id int, k int, PRIMARY KEY (id, k)) PARTITION BY RANGE (id);
      CREATE TABLE m PARTITION OF r FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (k);
      CREATE TABLE l PARTITION OF m FOR VALUES FROM (0) TO (10)`)
    await using session = await openWatching(database)
    await session.capture('r')
    await database.query('INSERT INTO r VALUES (1, 1); ALTER TABLE r DETACH PARTITION m')
    await session.capture('r', 'm')
    await database.query('INSERT INTO m VALUES (2, 2)')
    await session.count(2)
    await database.query('ALTER TABLE r ATTACH PARTITION m FOR VALUES FROM (0) TO (10); INSERT INTO m VALUES (3, 3)')
    expect((await session.count(3)).map(describeChange)).toEqual([
      'insert r new=(1,1)',
      'insert m new=(2,2)',
      'insert r new=(3,3)',
    ])
    await eventually(() => gapsOf(session).length > 0, 'the gap of the table that became a partition')
    expect(gapsOf(session)[0]).toContain('public.m has become a partition')
  })

  test('a captured table is attached, truncated, detached and attached again, and each change is there once', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE m (id int PRIMARY KEY)`)
    await using session = await openWatching(database)
    await session.capture('r', 'm')
    const attach = 'ALTER TABLE r ATTACH PARTITION m FOR VALUES FROM (0) TO (10)'
    await database.query(`INSERT INTO m VALUES (1); ${attach}; INSERT INTO r VALUES (2); TRUNCATE m`)
    await database.query(`ALTER TABLE r DETACH PARTITION m; INSERT INTO m VALUES (3); TRUNCATE m`)
    await session.capture('r', 'm')
    await database.query(`INSERT INTO m VALUES (4); ${attach}; INSERT INTO m VALUES (5)`)
    expect((await session.count(6)).map(describeChange)).toEqual([
      'insert m new=(1)',
      'insert r new=(2)',
      'insert m new=(3)',
      'truncate m',
      'insert m new=(4)',
      'insert r new=(5)',
    ])
    await eventually(() => gapsOf(session).some((reason) => reason.includes('truncated')), 'the gap of the truncation')
  })

  test('a partition that was made after the listener came is told of when it is truncated', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id)')
    await using session = await openWatching(database)
    await session.capture('r')
    await database.query('CREATE TABLE later PARTITION OF r FOR VALUES FROM (0) TO (10)')
    await eventually(async () => {
      const triggers = await database.query(
        `SELECT FROM pg_trigger WHERE tgrelid = 'later'::regclass AND tgname = '!rowtap truncate'`,
      )
      return triggers.length === 1
    }, 'the trigger on the new partition')
    await database.query('INSERT INTO r VALUES (1); TRUNCATE later; INSERT INTO r VALUES (2)')
    await session.count(2)
    await eventually(() => gapsOf(session).length > 0, 'the gap')
    expect(gapsOf(session)).toHaveLength(1)
    expect(gapsOf(session)[0]).toContain('public.r')
  })
})

describePostgres('what is altered while it is captured', (postgres) => {
  test.each([
    ['that is swapped for another one', 'BEGIN; ALTER TABLE t RENAME TO t_old; CREATE TABLE t (id int); COMMIT'],
    [
      'whose triggers are switched off and on again',
      'ALTER TABLE t DISABLE TRIGGER ALL; ALTER TABLE t ENABLE TRIGGER ALL',
    ],
    [
      'that is moved to another schema, with another one in its place',
      'CREATE SCHEMA s; ALTER TABLE t SET SCHEMA s; CREATE TABLE t ()',
    ],
  ])('a table %s is told of as a gap, once', async (_, statement) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int); CREATE TABLE other (id int)')
    await using session = await openWatching(database)
    await session.capture('t', 'other')
    await database.query(statement)
    await eventually(() => gapsOf(session).length > 0, 'the gap')
    await database.query('INSERT INTO other VALUES (1)')
    await session.count(1)
    await database.query('INSERT INTO other VALUES (2)')
    await session.count(2)
    expect(gapsOf(session)).toHaveLength(1)
    expect(gapsOf(session)[0]).toContain('public.t ')
  })

  test('a primary key that moves to another column is the key of what comes after', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL)')
    await using session = await openWatching(database)
    await session.capture('t')
    await database.query('INSERT INTO t VALUES (1, 2)')
    await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (b)')
    await database.query('INSERT INTO t VALUES (3, 4)')
    await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey')
    await database.query('INSERT INTO t VALUES (5, 6)')
    const changes = await session.count(3)
    expect(changes.map(({ relation }) => relation.primaryKey)).toEqual([[0], [1], []])
  })

  test('what is written as a replica is captured where enableAlways says so', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)`)
    await using session = await openTestSession({ connection: database.url, enableAlways: true })
    await session.capture('t')
    await database.query('CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)')
    const writer = await database.connect()
    await writer.query(`SET session_replication_role = replica; INSERT INTO t VALUES (1), (11); TRUNCATE t`)
    expect((await session.count(3)).map(describeChange)).toEqual([
      'insert t new=(1)',
      'insert t new=(11)',
      'truncate t',
    ])
  })
})

describePostgres('a schema of that name that another role made with rowtap', (postgres) => {
  test('is not used, not even by a superuser: its owner’s code would run', async () => {
    await using database = await postgres.createDatabase()
    const other = await database.createRole()
    await database.query(`
      CREATE TABLE t (id int);
      GRANT CREATE ON DATABASE ${database.name} TO ${other.name}; GRANT SELECT, TRIGGER ON t TO ${other.name}`)
    await using theirs = await openTestSession({ connection: other.url })
    await theirs.capture('t')
    const owner = await database.connect({ connectionString: other.url })
    await owner.query(`
      CREATE TABLE rowtap.ran (who text);
      CREATE FUNCTION rowtap.spy() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO rowtap.ran VALUES (current_user); RETURN new; END $$;
      CREATE TRIGGER spy BEFORE INSERT ON rowtap.consumer FOR EACH ROW EXECUTE FUNCTION rowtap.spy()`)
    await using session = await openTestSession({ connection: database.url })
    await expect(session.capture('t')).rejects.toSatisfy((error) => RowtapError.is(error, 'ERR_SETUP_REQUIRED'))
    await session.close()
    expect(await database.query('SELECT * FROM rowtap.ran')).toEqual([])
    await database.query('INSERT INTO t VALUES (1)')
    await theirs.count(1)
  })

  test.each([
    // (What is written to the table above it fires none of its triggers for statements.)
    ['of which statements are captured', 't', 'CREATE TABLE t (id int PRIMARY KEY, v text)', ''],
    [
      'of which rows are captured',
      'p',
      'CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)',
      'CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (50)',
    ],
  ])('a table %s is captured as before while it belongs to one that is not', async (_, written, table, partition) => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); ${table}; ${partition}`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query(`INSERT INTO t VALUES (1, 'a')`)
    // In one transaction: nobody sees that it was.
    await database.query(`
      BEGIN; ALTER TABLE p ATTACH PARTITION t FOR VALUES FROM (0) TO (100); INSERT INTO t VALUES (3, 'c');
      UPDATE ${written} SET v = 'd' WHERE id = 1; ALTER TABLE p DETACH PARTITION t; INSERT INTO t VALUES (5, 'e'); COMMIT`)
    expect((await session.count(4)).map(({ kind, new: row }) => [kind, row?.text(0), row?.text(1)])).toEqual([
      ['insert', '1', 'a'],
      ['insert', '3', 'c'],
      ['update', '1', 'd'],
      ['insert', '5', 'e'],
    ])
  })
})
