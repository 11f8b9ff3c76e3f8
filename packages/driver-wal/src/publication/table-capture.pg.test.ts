import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { testHost, testSession, wanted } from '../testing/test-session.ts'

const PUBLISHED = `SELECT p.pubname ~ '_all$' AS all_operations, t.tablename AS table
  FROM pg_publication p JOIN pg_publication_tables t USING (pubname) WHERE p.pubname ~ '^rowtap_e_' ORDER BY 2`

/** Which tables of the schema public a process waits for, and which ones it has locked meanwhile. */
const HELD_WHILE_WAITING = `
  SELECT json_agg(c.relname) FILTER (WHERE NOT granted) AS waited, json_agg(c.relname) FILTER (WHERE granted) AS held
  FROM pg_locks JOIN pg_class c ON c.oid = relation
  WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  GROUP BY pid HAVING NOT bool_and(granted)`

describePostgres('capture', (postgres) => {
  test('waits for transactions that wrote before, tells of them, and delivers nothing of them', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const writer = await database.connect()
    await using wal = await testSession({ connection: database.url })
    await writer.query('BEGIN')
    await writer.query('INSERT INTO t VALUES (1)')
    let isLive = false
    const live = wal.session.capture([wanted('t')]).finally(() => {
      isLive = true
    })
    const pid = await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await eventually(() => wal.host.notices.length > 0, 'a notice')
    expect(wal.host.notices).toEqual([
      { kind: 'wait', reason: expect.stringContaining('transactions that wrote'), processIds: [pid.rows[0]?.pid] },
    ])
    expect(isLive).toBe(false)
    await writer.query('INSERT INTO t VALUES (2)')
    await writer.query('COMMIT')
    const from = await live
    await writer.query('INSERT INTO t VALUES (3)')
    await eventually(() => wal.changes.some((change) => change.position > from), 'the change after')
    expect(wal.changes.filter((change) => change.position > from).map((change) => change.new)).toEqual([['3']])
  })

  test('waits for a prepared transaction that wrote before', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using wal = await testSession({ connection: database.url })
    await database.query('BEGIN')
    await database.query('INSERT INTO t VALUES (1)')
    let isLive = false
    const live = wal.session.capture([wanted('t')]).finally(() => {
      isLive = true
    })
    await eventually(() => wal.host.notices.length === 1, 'a notice of the process')
    await database.query(`PREPARE TRANSACTION 'capture'`)
    await eventually(() => wal.host.notices.length === 2, 'a notice without a process')
    expect(isLive).toBe(false)
    expect(wal.host.notices[1]).toEqual({
      kind: 'wait',
      reason: expect.stringContaining('pg_prepared_xacts'),
      processIds: [],
    })
    await database.query(`COMMIT PREPARED 'capture'`)
    const from = await live
    expect(wal.changes.filter((change) => change.position > from)).toEqual([])
  })

  test('delivers a transaction that began before and writes after', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)')
    const writer = await database.connect()
    await using wal = await testSession({ connection: database.url })
    await writer.query('BEGIN')
    await writer.query('INSERT INTO other VALUES (1)')
    const from = await wal.session.capture([wanted('t')])
    await writer.query('INSERT INTO t VALUES (1)')
    await writer.query('COMMIT')
    const [change] = await wal.count(1)
    expect(change).toMatchObject({ kind: 'insert', table: 't', new: ['1'] })
    expect(change?.position).toSatisfy((position: string) => position > from)
    expect(wal.host.notices).toEqual([])
  })

  test('separates by position what was committed before from what is delivered, while others write without pause', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id serial PRIMARY KEY, worker int)')
    await using wal = await testSession({ connection: database.url })
    const first = await wal.session.capture([wanted('t')])
    let isDone = false
    const writers = await Promise.all(Array.from({ length: 4 }, () => database.connect()))
    const writing = Promise.all(
      writers.map(async (writer, worker) => {
        while (!isDone) await writer.query('INSERT INTO t (worker) VALUES ($1)', [worker])
      }),
    )
    const rounds: { before: number; from: string; visible: number[] }[] = []
    for (let round = 0; round < 20; round += 1) {
      const before = wal.changes.length
      const from = await wal.session.capture([wanted('t')])
      const rows = await database.query('SELECT id FROM t ORDER BY id')
      rounds.push({ before, from, visible: rows.map((row) => Number(row['id'])) })
    }
    isDone = true
    await writing
    const rows = await database.query('SELECT count(*)::int AS count FROM t')
    const all = await wal.count(Number(rows[0]?.['count']))
    expect(first < (all[0]?.position ?? '')).toBe(true)
    for (const { from, visible } of rounds) {
      const missed = all.filter((change) => change.position <= from && !visible.includes(Number(change.new?.[0])))
      expect(missed).toEqual([])
    }
  })

  test('waits for a lock on the table without keeping writers waiting, tells who holds it, and gives up when told to', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const holder = await database.connect()
    await holder.query('BEGIN')
    await holder.query('LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE')
    const holderPid = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const host = testHost()
    await using wal = await testSession({ connection: database.url, host })
    const live = wal.session.capture([wanted('t')])
    const outcome = live.catch((error: unknown) => error)
    await eventually(() => host.notices.length > 0, 'a notice')
    expect(host.notices).toEqual([
      { kind: 'wait', reason: expect.stringContaining('lock on the table'), processIds: [holderPid.rows[0]?.pid] },
    ])
    await database.query('INSERT INTO t VALUES (1)')
    host.abort()
    expect(await outcome).toMatchObject({ code: 'ERR_ABORTED' })
    await holder.query('COMMIT')
  })

  test('waits for a lock on one table while it holds none on another, so that nobody else is ended for a deadlock', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)')
    await using wal = await testSession({ connection: database.url })
    const holder = await database.connect()
    await holder.query('BEGIN; LOCK TABLE b IN ACCESS EXCLUSIVE MODE')
    const live = wal.session.capture([wanted('a'), wanted('b')])
    // Where this test fails, the session ends before it is live.
    live.catch(() => undefined)
    let waiting: readonly unknown[] = []
    await eventually(async () => {
      waiting = await database.query(HELD_WHILE_WAITING)
      return waiting.length > 0
    }, 'a wait for the lock')
    expect(waiting).toEqual([{ waited: ['b'], held: null }])
    await holder.query('LOCK TABLE a IN ACCESS EXCLUSIVE MODE; COMMIT')
    await live
    await database.query('INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)')
    expect(await wal.count(2)).toMatchObject([{ table: 'a' }, { table: 'b' }])
  })

  test('a table without identity is published without updates and deletes, and moves when it has one', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using wal = await testSession({ connection: database.url })
    await wal.session.capture([wanted('t', ['insert', 'truncate'])])
    expect(await database.query(PUBLISHED)).toEqual([{ all_operations: false, table: 't' }])
    await expect(wal.session.capture([wanted('t')])).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('ALTER TABLE "public"."t" REPLICA IDENTITY FULL'),
    })
    await database.query('INSERT INTO t VALUES (1); UPDATE t SET id = 2')
    expect(await wal.count(1)).toMatchObject([{ kind: 'insert', new: ['1'] }])
    await database.query('ALTER TABLE t REPLICA IDENTITY FULL')
    await wal.session.capture([wanted('t')])
    expect(await database.query(PUBLISHED)).toEqual([{ all_operations: true, table: 't' }])
    await database.query('UPDATE t SET id = 3; DELETE FROM t')
    expect((await wal.count(3)).slice(1)).toMatchObject([
      { kind: 'update', old: ['2'], new: ['3'] },
      { kind: 'delete', old: ['3'] },
    ])
    await wal.session.capture([])
    expect(await database.query(PUBLISHED)).toEqual([])
  })

  test('a partitioned table is refused where one of its partitions would refuse updates', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
      CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (0) TO (10);
      CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (10) TO (20);
      ALTER TABLE t_high REPLICA IDENTITY NOTHING;
      ALTER TABLE t_low REPLICA IDENTITY FULL`)
    await using wal = await testSession({ connection: database.url })
    expect(await wal.session.describe({ schema: 'public', name: 't' })).toMatchObject({
      oldColumns: [],
      oldRowsStatement: 'ALTER TABLE "public"."t_high" REPLICA IDENTITY FULL',
    })
    await expect(wal.session.capture([wanted('t')])).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('ALTER TABLE "public"."t_high" REPLICA IDENTITY FULL'),
    })
    await database.query('ALTER TABLE t_high REPLICA IDENTITY FULL')
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1, 1), (11, 1); UPDATE t SET v = 2')
    expect(await wal.count(4)).toMatchObject([
      { kind: 'insert', table: 't' },
      { kind: 'insert', table: 't' },
      { kind: 'update', table: 't', old: ['1', '1'] },
      { kind: 'update', table: 't', old: ['11', '1'] },
    ])
  })

  test('a partitioned table without a primary key is refused, because later partitions would refuse updates', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int, v int) PARTITION BY RANGE (id);
      CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (0) TO (10);
      ALTER TABLE t_low REPLICA IDENTITY FULL`)
    await using wal = await testSession({ connection: database.url })
    await expect(wal.session.capture([wanted('t')])).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('ALTER TABLE "public"."t" ADD PRIMARY KEY'),
    })
    await wal.session.capture([wanted('t', ['insert'])])
    await database.query(`
      CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (10) TO (20);
      INSERT INTO t VALUES (10, 1); UPDATE t SET v = 2; DELETE FROM t`)
    await wal.count(1)
  })

  test('a virtual generated column under full identity is refused, because updates would fail', async ({ skip }) => {
    skip(postgres.version < 18, 'PostgreSQL 18 and later')
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, doubled int GENERATED ALWAYS AS (id * 2) VIRTUAL)')
    await using wal = await testSession({ connection: database.url })
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1); UPDATE t SET id = 2')
    expect(await wal.count(2)).toMatchObject([{ new: ['1', undefined] }, { new: ['2', undefined] }])
    await wal.session.capture([])
    await database.query('ALTER TABLE t REPLICA IDENTITY FULL')
    await expect(wal.session.capture([wanted('t')])).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('virtual generated column'),
    })
  })

  test.each([
    ['an unlogged table', 'CREATE UNLOGGED TABLE t (id int PRIMARY KEY)', 'SET LOGGED'],
    ['a view', 'CREATE VIEW t AS SELECT 1 AS id', 'is a view'],
    [
      'a foreign table',
      'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE t (id int) SERVER s',
      'is a foreign table',
    ],
    [
      'a table with an unlogged partition',
      'CREATE TABLE t (id int PRIMARY KEY) PARTITION BY HASH (id); CREATE UNLOGGED TABLE t_0 PARTITION OF t FOR VALUES WITH (MODULUS 1, REMAINDER 0)',
      'a partition of public.t, is unlogged',
    ],
  ])('%s is refused with the reason', async (_, statement, reason) => {
    await using database = await postgres.createDatabase()
    await database.query(statement)
    await using wal = await testSession({ connection: database.url })
    const refusal = { code: 'ERR_SETUP_REQUIRED', message: expect.stringContaining(reason) }
    await expect(wal.session.describe({ schema: 'public', name: 't' })).rejects.toMatchObject(refusal)
    await expect(wal.session.capture([wanted('t')])).rejects.toMatchObject(refusal)
  })

  test('an unknown table is refused with the name that is near, and a system catalogue as such', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE orders (id int PRIMARY KEY)')
    await using wal = await testSession({ connection: database.url })
    await expect(wal.session.describe({ schema: 'public', name: 'order' })).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringMatching(/no table public\.order in .* Did you mean public\.orders\?/),
    })
    await expect(wal.session.describe({ schema: 'pg_catalog', name: 'pg_class' })).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('belongs to PostgreSQL itself'),
    })
  })

  test('a table that is dropped, and one that is made again, disturb nothing', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)')
    await using wal = await testSession({ connection: database.url })
    await wal.session.capture([wanted('t'), wanted('other')])
    await database.query('DROP TABLE t')
    await wal.session.capture([wanted('other')])
    await database.query('INSERT INTO other VALUES (1)')
    await wal.count(1)
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await wal.session.capture([wanted('t'), wanted('other')])
    await database.query('INSERT INTO t VALUES (2)')
    expect(await wal.count(2)).toMatchObject([{ table: 'other' }, { table: 't', new: ['2'] }])
  })

  test('a table that the server does not let be taken out holds up nobody', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    await using wal = await testSession({ connection: database.url })
    await wal.session.capture([wanted('t'), wanted('u')])
    await database.query(`
      CREATE FUNCTION no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL'; END $$;
      CREATE EVENT TRIGGER no_ddl ON ddl_command_start EXECUTE FUNCTION no_ddl()`)
    await wal.session.capture([wanted('u')])
    await database.query('INSERT INTO u VALUES (1)')
    await eventually(() => wal.changes.length === 1, 'the change of the other table')
    await database.query('DROP EVENT TRIGGER no_ddl')
    await wal.session.capture([wanted('u')])
    const published = await database.query('SELECT tablename FROM pg_publication_tables')
    expect(published).toEqual([{ tablename: 'u' }])
  })

  test('somebody else’s table is refused with its owner’s name', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole('REPLICATION')
    await database.query(
      `GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}"; CREATE TABLE t (id int PRIMARY KEY)`,
    )
    await using wal = await testSession({ connection: role.url })
    await wal.session.describe({ schema: 'public', name: 't' })
    await expect(wal.session.capture([wanted('t')])).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      // The owner is a superuser: to become one is not what is advised.
      message: expect.stringMatching(/may not publish .* Run: ALTER TABLE "public"\."t" OWNER TO/),
    })
    const owner = await database.createRole()
    await database.query(`ALTER TABLE t OWNER TO "${owner.name}"`)
    await expect(wal.session.capture([wanted('t')])).rejects.toMatchObject({
      message: expect.stringContaining(`Run: GRANT "${owner.name}" TO "${role.name}"`),
    })
    await database.query(`GRANT "${owner.name}" TO "${role.name}"`)
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
  })

  test('a table of one’s own in a schema that one may not use is refused with the statement that helps', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole('REPLICATION')
    await database.query(
      `GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}";
       CREATE SCHEMA closed; CREATE TABLE closed.t (id int PRIMARY KEY); ALTER TABLE closed.t OWNER TO "${role.name}"`,
    )
    await using wal = await testSession({ connection: role.url })
    const request = { ...wanted('t'), table: { schema: 'closed', name: 't' } }
    const help = `GRANT USAGE ON SCHEMA "closed" TO "${role.name}"`
    await expect(wal.session.capture([request])).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: `Role "${role.name}" may not use schema "closed", which closed.t is in. Run: ${help}`,
    })
    await database.query(help)
    await wal.session.capture([request])
    await database.query('INSERT INTO closed.t VALUES (1)')
    await wal.count(1)
  })
})
