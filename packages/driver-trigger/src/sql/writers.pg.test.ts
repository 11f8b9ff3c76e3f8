import { eventually } from '@rowtap/driver-testkit'
import { describePostgres, postgresVersions } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

/** What a role may try to learn, or to do, where it may do nothing but insert. */
const FORBIDDEN = [
  'SELECT * FROM rowtap.queue',
  'SELECT * FROM rowtap.queue_1',
  'SELECT * FROM rowtap.consumer',
  'SELECT * FROM rowtap.shape',
  'SELECT last_value FROM rowtap.state',
  `SELECT nextval('rowtap.queue_seq')`,
  `SELECT rowtap.instruct(0, 0, false)`,
  `SELECT rowtap.extend_reading(0)`,
  `SELECT rowtap.settle_shape('t'::regclass)`,
  `SELECT rowtap.enqueue(0::oid, 0, 'I', 1, 0, 0, 0, 0, 0, '', '')`,
  'INSERT INTO rowtap.queue_1 (xid, seq, root, shape, operation) VALUES (pg_current_xact_id(), 1, 0, 0, $$I$$)',
  'CREATE TRIGGER mine AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION rowtap.capture()',
]

/** Operators, functions and types that are found before PostgreSQL's own, for every type that capturing works with. */
const SHADOWS = `
  CREATE SCHEMA shadow; GRANT USAGE ON SCHEMA shadow TO PUBLIC;
  DO $outer$
  DECLARE signature text; operand text; operator text;
  BEGIN
    FOREACH operand IN ARRAY ARRAY['text', 'name', 'int2', 'int4', 'int8', 'oid', '"char"', 'bool', 'jsonb', 'xid', 'regclass'] LOOP
      EXECUTE pg_catalog.format('CREATE FUNCTION shadow.compares(%1$s, %1$s) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION ''an operator of the writer''''s was used''; END $$', operand);
      FOREACH operator IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>='] LOOP
        EXECUTE pg_catalog.format('CREATE OPERATOR shadow.%s (FUNCTION = shadow.compares, LEFTARG = %2$s, RIGHTARG = %2$s)', operator, operand);
      END LOOP;
    END LOOP;
    FOR signature IN
      SELECT DISTINCT pg_catalog.format('%I(%s)', p.proname, pg_catalog.oidvectortypes(p.proargtypes))
      FROM pg_catalog.pg_proc p
      WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.prokind = 'f' AND p.proname IN (
        'textin', 'record_out', 'octet_length', 'left', 'concat_ws', 'array_to_string', 'set_config', 'current_setting', 'nextval',
        'pg_sequence_last_value', 'pg_current_xact_id', 'clock_timestamp', 'pg_partition_root', 'pg_relation_filenode',
        'pg_stat_get_xact_tuples_inserted', 'pg_notify', 'coalesce', 'sign', 'starts_with', 'length', 'format', 'jsonb_agg'
      ) AND p.provariadic = 0 AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_type y WHERE y.oid = ANY (p.proargtypes::pg_catalog.oid[]) AND y.typtype = 'p'
      )
    LOOP
      EXECUTE 'CREATE FUNCTION shadow.' || signature || ' RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION ''a function of the writer''''s was used''; END $$';
    END LOOP;
  END $outer$;`

describePostgres('a writer', (postgres) => {
  test('that may do nothing but insert writes to a captured table, and learns nothing of the queue', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    const role = await database.createRole()
    await database.query(`
      REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE TEMPORARY ON DATABASE "${database.name}" FROM PUBLIC;
      GRANT USAGE ON SCHEMA public TO "${role.name}"; GRANT INSERT ON t TO "${role.name}"`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const writer = await database.connect({ connectionString: role.url })
    expect((await writer.query(`INSERT INTO t VALUES (1, 'a'), (2, 'b')`)).rowCount).toBe(2)
    await writer.query(
      `SET ROLE "${role.name}"; BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (3, 'c'); COMMIT`,
    )
    expect((await session.count(3)).map(describeChange)).toEqual([
      'insert t new=(1,a)',
      'insert t new=(2,b)',
      'insert t new=(3,c)',
    ])
    for (const statement of FORBIDDEN) {
      await expect(writer.query(statement), statement).rejects.toMatchObject({ code: '42501' })
    }
  })

  test('with operators and functions of its own before PostgreSQL’s writes, and is captured', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`${SHADOWS}
      CREATE TABLE t (id int PRIMARY KEY, v text);
      CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
      CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100)`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t', 'parted')
    const writer = await database.connect()
    await writer.query(`
      SET search_path = shadow, public, pg_catalog;
      CREATE TEMPORARY TABLE pg_class (oid int); CREATE TEMPORARY TABLE shape (id int); CREATE TEMPORARY TABLE new_rows (id int)`)
    for (const isolation of ['READ COMMITTED', 'REPEATABLE READ']) {
      for (const table of ['t', 'parted']) {
        const write = (statement: string): Promise<unknown> =>
          writer.query(`BEGIN ISOLATION LEVEL ${isolation}; ${statement}; COMMIT`)
        await write(`INSERT INTO ${table} VALUES (1, 'a'), (2, 'b')`)
        await write(`UPDATE ${table} SET v = 'c'`)
        await write(`DELETE FROM ${table}`)
        await write(`TRUNCATE ${table}`)
      }
    }
    const changes = await session.count(2 * 2 * 7)
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(['insert', 'update', 'delete', 'truncate']))
    expect(changes).toHaveLength(2 * 2 * 7)
  })

  test(
    'of a row of 100 MB does not fail, whatever it does to it, and the row arrives whole',
    { timeout: 180_000 },
    async () => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
      await using session = await openTestSession({ connection: database.url })
      await session.capture('t')
      const large = 100 * 1024 * 1024
      await database.query(`INSERT INTO t VALUES (1, repeat('x', ${large}))`)
      await database.query('UPDATE t SET id = 2')
      await database.query('DELETE FROM t')
      await eventually(() => session.changes.length === 3, 'the changes', { timeoutMs: 120_000 })
      expect(session.changes.map(({ kind }) => kind)).toEqual(['insert', 'update', 'delete'])
      expect(session.changes.map(({ new: row }) => row?.text(1)?.length)).toEqual([large, large, undefined])
      expect(session.changes.map(({ old }) => old?.text(1)?.length)).toEqual([undefined, large, large])
    },
  )
})

// It takes some gigabytes, and half a minute.
describePostgres(
  'a writer of the largest values',
  (postgres) => {
    test(
      'does not fail with a text of nearly 1 GB after another row, and the other row arrives',
      { timeout: 180_000 },
      async () => {
        await using database = await postgres.createDatabase()
        await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
        await using session = await openTestSession({ connection: database.url })
        await session.capture('t')
        await database.query(`
        INSERT INTO t
        SELECT i, CASE i WHEN 2 THEN repeat('x', 1073741823 - 20000) ELSE repeat('y', 60000) END
        FROM generate_series(1, 3) i`)
        await eventually(() => session.changes.length === 2, 'the small rows', { timeoutMs: 120_000 })
        expect(session.changes.map(({ new: row }) => row?.text(0))).toEqual(['1', '3'])
        expect(session.notices.map(({ kind }) => kind)).toEqual(['gap'])
      },
    )
  },
  postgresVersions().slice(-1),
)
