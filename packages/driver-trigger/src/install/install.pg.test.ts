import { RowtapError } from '@rowtap/core/driver'
import { catalogueSnapshot, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { describe, expect, test, vi } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

async function failure(promise: Promise<unknown>): Promise<RowtapError> {
  try {
    await promise
  } catch (error) {
    if (RowtapError.is(error)) return error
    throw error
  }
  throw new Error('it should have failed')
}

describePostgres('what is installed', (postgres) => {
  test('many clients that start and stop at the same time install it once, and remove it in the end', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE a (id int); CREATE TABLE b (id int)')
    const before = await catalogueSnapshot(database)
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(
        [1, 2, 3, 4].map(async (client) => {
          await using session = await openTestSession({ connection: database.url })
          await session.capture(client % 2 === 0 ? 'a' : 'b')
        }),
      )
    }
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('one client that closes takes only what the other does not use', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE a (id int); CREATE TABLE b (id int)')
    const triggers = async (): Promise<unknown[]> => {
      const rows = await database.query(
        `SELECT DISTINCT tgrelid::regclass::text AS t FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`,
      )
      return rows.map((row) => row['t'])
    }
    await using stays = await openTestSession({ connection: database.url })
    await stays.capture('a')
    const goes = await openTestSession({ connection: database.url })
    await goes.capture('a', 'b')
    expect(await triggers()).toEqual(['a', 'b'])
    await goes.close()
    expect(await triggers()).toEqual(['a'])
    await database.query('INSERT INTO a VALUES (1)')
    await stays.count(1)
  })

  test('two schemas on one database, and on one table, know nothing of each other', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    const before = await catalogueSnapshot(database)
    const one = await openTestSession({ connection: database.url })
    const other = await openTestSession({ connection: database.url, schema: 'Odd "schema" \\ it’s' })
    await one.capture('t')
    await other.capture('t')
    await database.query('INSERT INTO t VALUES (1)')
    await Promise.all([one.count(1), other.count(1)])
    await one.close()
    await database.query('INSERT INTO t VALUES (2)')
    await other.count(2)
    await other.close()
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('a schema of that name that rowtap did not make is refused and not touched', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int); CREATE SCHEMA rowtap; CREATE TABLE rowtap.consumer (id int)')
    const before = await catalogueSnapshot(database)
    await using session = await openTestSession({ connection: database.url })
    const error = await failure(session.capture('t'))
    expect(error.code).toBe('ERR_SETUP_REQUIRED')
    expect(error.message).toContain('rowtap did not make it')
    await session.close()
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('a schema that someone put a table into stays, without ours, and is used again', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    const first = await openTestSession({ connection: database.url })
    await first.capture('t')
    await database.query('CREATE TABLE rowtap.theirs (id int)')
    await first.close()
    const left = await database.query(`SELECT relname FROM pg_class WHERE relnamespace = 'rowtap'::regnamespace`)
    expect(left).toEqual([{ relname: 'theirs' }])
    await using second = await openTestSession({ connection: database.url })
    await second.capture('t')
    await database.query('INSERT INTO t VALUES (1)')
    await second.count(1)
  })

  test('what a crashed client leaves is removed by the next one', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE a (id int); CREATE TABLE b (id int)')
    const before = await catalogueSnapshot(database)
    await using crashed = await openTestSession({ connection: database.url, reconnect: false })
    await crashed.capture('a')
    await database.query(
      `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'rowtap' AND datname = current_database()`,
    )
    await eventually(() => crashed.error() !== null, 'the crash')
    expect(RowtapError.is(crashed.error(), 'ERR_CONNECTION_LOST')).toBe(true)
    const next = await openTestSession({ connection: database.url })
    await next.capture('b')
    expect(await database.query(`SELECT FROM pg_trigger WHERE tgrelid = 'a'::regclass`)).toEqual([])
    await next.close()
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('a client that others have let go of no longer holds the queue, and hears of it', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using silent = await openTestSession({ connection: database.url })
    await silent.capture('t')
    await database.query('UPDATE rowtap.consumer SET lease_until = now() - interval $$1 second$$')
    await using next = await openTestSession({ connection: database.url })
    await next.capture('t')
    await eventually(() => silent.error() !== null, 'the error')
    expect(RowtapError.is(silent.error(), 'ERR_POSITION_LOST')).toBe(true)
    await database.query('INSERT INTO t VALUES (1)')
    await next.count(1)
  })

  test('a client that gave no sign of life for its lease goes on with a gap', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using silent = await openTestSession({ connection: database.url, leaseMs: 1000 })
    await silent.capture('t')
    // As after a process was suspended for an hour.
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => performance.timeOrigin + performance.now() + 3_600_000)
    try {
      await database.query('DELETE FROM rowtap.consumer')
      await eventually(() => silent.notices.some(({ kind }) => kind === 'gap'), 'the gap')
    } finally {
      clock.mockRestore()
    }
    await database.query('INSERT INTO t VALUES (1)')
    await silent.count(1)
    expect(silent.notices.filter(({ kind }) => kind === 'gap')).toMatchObject([{ to: expect.any(String) }])
  })

  test('a client whose place was removed hears of it, and nothing is missed in silence', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query('DELETE FROM rowtap.consumer')
    await eventually(() => session.error() !== null, 'the error')
    expect(RowtapError.is(session.error(), 'ERR_POSITION_LOST')).toBe(true)
  })

  test('changes go away when every client has handled them, and not before', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int, v text)')
    const queued = async (): Promise<unknown> =>
      (await database.query('SELECT coalesce(sum(rows), 0)::int AS n FROM rowtap.queue'))[0]?.['n']
    await using quick = await openTestSession({ connection: database.url })
    await quick.capture('t')
    const slow = await openTestSession({ connection: database.url })
    await slow.capture('t')
    slow.holdBack()
    await database.query('INSERT INTO t SELECT i, repeat($$v$$, 2000) FROM generate_series(1, 1000) i')
    await Promise.all([quick.count(1000), slow.count(1000)])
    // The quick one's place is stored before anything is removed.
    await eventually(async () => {
      const [row] = await database.query('SELECT count(DISTINCT place::text)::int AS n FROM rowtap.consumer')
      return row?.['n'] === 2
    }, 'the quick client’s place moves')
    expect(await queued()).toBe(1000)
    await slow.close()
    await database.query('INSERT INTO t VALUES (0)')
    await eventually(async () => (await queued()) === 0, 'the queue is empty')
  })
})

describePostgres('a captured table', (postgres) => {
  test.each([
    ['that is dropped', 'DROP TABLE t; CREATE TABLE t (id int)'],
    ['whose triggers are switched off', 'ALTER TABLE t DISABLE TRIGGER USER'],
  ])('%s is told of as a gap', async (_, statement) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int); CREATE TABLE other (id int)')
    await using session = await openTestSession({ connection: database.url, leaseMs: 1000 })
    await session.capture('t', 'other')
    await database.query(statement)
    await eventually(() => session.notices.some(({ kind }) => kind === 'gap'), 'the gap')
    await database.query('INSERT INTO other VALUES (1)')
    await session.count(1)
    expect(session.notices.filter(({ kind }) => kind === 'gap')).toHaveLength(1)
  })

  test('that is dropped or renamed does not stand in the way of others', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('a', 'b')
    await database.query('DROP TABLE a; ALTER TABLE b RENAME TO renamed')
    await session.capture('a', 'b', 'c')
    await database.query('INSERT INTO c VALUES (1); INSERT INTO renamed VALUES (2)')
    expect((await session.count(2)).map(describeChange)).toEqual(['insert c new=(1)', 'insert b new=(2)'])
  })

  test('that was dropped and made again is captured again when it is asked for again', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query('DROP TABLE t; CREATE TABLE t (id int, v text)')
    await session.capture('t')
    await database.query(`INSERT INTO t VALUES (1, 'a')`)
    expect((await session.count(1)).map(describeChange)).toEqual(['insert t new=(1,a)'])
  })
})

describePostgres('who may do what', (postgres) => {
  describe('a role without a privilege is told the statement that helps', () => {
    test.each([
      [
        'of the schema',
        'GRANT SELECT, TRIGGER ON t TO ROLE',
        /^.*Run: GRANT CREATE ON DATABASE "rowtap_test_\w+" TO "/u,
      ],
      ['of the table', 'GRANT CREATE ON DATABASE DB TO ROLE', /Run: GRANT SELECT, TRIGGER ON TABLE "public"."t" TO "/u],
    ])('%s', async (_, granted, message) => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int)')
      const role = await database.createRole()
      await database.query(granted.replace('ROLE', role.name).replace('DB', database.name))
      await using session = await openTestSession({ connection: role.url })
      const error = await failure(session.capture('t'))
      expect(error.code).toBe('ERR_SETUP_REQUIRED')
      expect(error.message).toMatch(message)
      const [statement] = /GRANT .*;/u.exec(error.message) ?? []
      await database.query(statement ?? '')
      await session.capture('t')
    })
  })

  test('a role that does not own the table captures it, and leaves nothing behind', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int); CREATE TABLE u (id int)')
    const role = await database.createRole()
    await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${role.name}`)
    await database.query(`GRANT SELECT, TRIGGER ON t, u TO ${role.name}`)
    const before = await catalogueSnapshot(database)
    const session = await openTestSession({ connection: role.url })
    await session.capture('t', 'u')
    await session.capture('t')
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    await session.close()
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('nobody but the owner may read or name anything, whatever the database grants by default', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    await database.query(`
      CREATE TABLE t (id int);
      ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, ${role.name};
      ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, ${role.name};
      ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO ${role.name};
      ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO ${role.name}`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const open = await database.query(
      `SELECT relname AS what FROM pg_class WHERE relnamespace = 'rowtap'::regnamespace AND relkind IN ('r', 'S')
         AND (CASE relkind WHEN 'S' THEN has_sequence_privilege($1, oid, 'USAGE, SELECT, UPDATE')
              ELSE has_table_privilege($1, oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER') END)
       UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'rowtap'::regnamespace AND has_function_privilege($1, oid, 'EXECUTE')
       UNION ALL SELECT 'schema' WHERE has_schema_privilege($1, 'rowtap', 'USAGE, CREATE')`,
      [role.name],
    )
    // Those of row triggers, for whoever makes a partition: without the schema they cannot be named.
    expect(new Set(open.map(({ what }) => what))).toEqual(new Set(['capture', 'signal']))
    await database.query(`DROP OWNED BY ${role.name}`)
  })

  test('a table’s owner cannot run code of their own as the queue’s owner', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    await database.query(`CREATE SCHEMA theirs AUTHORIZATION ${role.name}`)
    const owner = await database.connect({ connectionString: role.url })
    await owner.query(`
      CREATE TABLE theirs.spy (who text);
      CREATE TABLE theirs.t (id int, v text);
      CREATE FUNCTION theirs.spy(theirs.t) RETURNS text LANGUAGE sql AS
        $$ INSERT INTO theirs.spy VALUES (current_user) RETURNING who $$;
      CREATE CAST (theirs.t AS text) WITH FUNCTION theirs.spy(theirs.t) AS IMPLICIT;
      CREATE FUNCTION theirs.textin(theirs.t) RETURNS text LANGUAGE sql AS $$ SELECT theirs.spy($1) $$;
      CREATE FUNCTION theirs.record_out(theirs.t) RETURNS text LANGUAGE sql AS $$ SELECT theirs.spy($1) $$`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('theirs.t')
    await owner.query(`SET search_path = theirs, pg_catalog`)
    await owner.query(`INSERT INTO t VALUES (1, 'a')`)
    await owner.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; UPDATE t SET v = 'b'; COMMIT`)
    await session.count(2)
    expect(await database.query('SELECT * FROM theirs.spy')).toEqual([])
  })
})
