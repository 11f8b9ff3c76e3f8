import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import type { DecodedChange } from '../testing/decode-slot.ts'
import { lateReader } from '../testing/decode-slot.ts'

/** Kind, old row and new row. */
const rows = (changes: readonly DecodedChange[]): unknown[] =>
  changes.map((change) => [change.kind, change.old, change.new])

describePostgres('every message of protocol 1', (postgres) => {
  test('insert, update and delete, with the old row as the identity has it', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE by_key (id int PRIMARY KEY, v text);
      CREATE TABLE by_index (id int PRIMARY KEY, code text NOT NULL UNIQUE, v text);
      ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_code_key;
      CREATE TABLE by_row (id int, v text);
      ALTER TABLE by_row REPLICA IDENTITY FULL;
      CREATE PUBLICATION late FOR TABLE by_key, by_index, by_row`)
    await using reader = await lateReader(database, true)
    await database.query(
      `INSERT INTO by_key VALUES (1, NULL); UPDATE by_key SET v = 'x'; UPDATE by_key SET id = 2; DELETE FROM by_key`,
    )
    await database.query(
      `INSERT INTO by_index VALUES (1, 'a'); UPDATE by_index SET id = 2; UPDATE by_index SET code = 'b'; DELETE FROM by_index`,
    )
    await database.query(`INSERT INTO by_row VALUES (NULL, ''); UPDATE by_row SET v = 'x'; DELETE FROM by_row`)
    expect(rows((await reader.read()).changes)).toEqual([
      ['insert', null, { id: 1, v: null }],
      ['update', null, { id: 1, v: 'x' }],
      ['update', { id: 1 }, { id: 2, v: 'x' }],
      ['delete', { id: 2 }, null],
      ['insert', null, { id: 1, code: 'a', v: null }],
      ['update', null, { id: 2, code: 'a', v: null }],
      ['update', { code: 'a' }, { id: 2, code: 'b', v: null }],
      ['delete', { code: 'b' }, null],
      ['insert', null, { id: null, v: '' }],
      ['update', { id: null, v: '' }, { id: null, v: 'x' }],
      ['delete', { id: null, v: 'x' }, null],
    ])
  })

  test('large values that an update leaves alone', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY, big text, n int); ALTER TABLE t ALTER COLUMN big SET STORAGE EXTERNAL;
      CREATE PUBLICATION late FOR TABLE t`)
    await using reader = await lateReader(database, true)
    const big = 'big'.repeat(3000)
    await database.query(`INSERT INTO t VALUES (1, repeat('big', 3000), 1); UPDATE t SET n = 2`)
    await database.query(`ALTER TABLE t REPLICA IDENTITY FULL`)
    await database.query(`UPDATE t SET n = 3; UPDATE t SET big = 'small'; DELETE FROM t`)
    expect(rows((await reader.read()).changes)).toEqual([
      ['insert', null, { id: 1, big, n: 1 }],
      ['update', null, { id: 1, n: 2 }],
      ['update', { id: 1, big, n: 2 }, { id: 1, n: 3 }],
      ['update', { id: 1, big, n: 3 }, { id: 1, big: 'small', n: 3 }],
      ['delete', { id: 1, big: 'small', n: 3 }, null],
    ])
  })

  test('rows of partitions as those of the whole table, and one truncate of several', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
      CREATE TABLE low (v text, gone int, id int NOT NULL); ALTER TABLE low DROP COLUMN gone;
      ALTER TABLE parts ATTACH PARTITION low FOR VALUES FROM (0) TO (100);
      CREATE TABLE high PARTITION OF parts FOR VALUES FROM (100) TO (200);
      CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent);
      CREATE PUBLICATION late FOR TABLE parts, parent, child WITH (publish_via_partition_root = true)`)
    await using reader = await lateReader(database, true)
    await database.query(`INSERT INTO parts VALUES (1, 'x'); UPDATE parts SET v = 'y'; UPDATE parts SET id = 101`)
    await database.query(`TRUNCATE parts, parent RESTART IDENTITY CASCADE`)
    const { changes } = await reader.read()
    expect(rows(changes.slice(0, 4))).toEqual([
      ['insert', null, { id: 1, v: 'x' }],
      ['update', null, { id: 1, v: 'y' }],
      ['delete', { id: 1 }, null],
      ['insert', null, { id: 101, v: 'y' }],
    ])
    expect(
      changes
        .slice(4)
        .map(({ kind, table }) => `${kind} ${table}`)
        .toSorted(),
    ).toEqual(['truncate public.child', 'truncate public.parent', 'truncate public.parts'])
    expect(new Set(changes.slice(0, 4).map(({ table }) => table))).toEqual(new Set(['public.parts']))
  })

  test('types of the user, with their names', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE SCHEMA "My types";
      CREATE TYPE "My types"."Mood" AS ENUM ('sad', 'it''s "fine"');
      CREATE DOMAIN age AS int CHECK (VALUE > 0); CREATE DOMAIN adult AS age;
      CREATE TYPE pair AS (a int, m "My types"."Mood"); CREATE DOMAIN tags AS text[];
      CREATE TABLE t (id int PRIMARY KEY, m "My types"."Mood", ms "My types"."Mood"[], a adult, aa adult[], p pair, pp pair[], g tags);
      CREATE PUBLICATION late FOR TABLE t`)
    await using reader = await lateReader(database, true)
    const row = `(1, 'it''s "fine"', '{sad}', 18, '{18}', '(1,sad)', '{"(1,sad)"}', '{a,"b c"}')`
    await database.query(`INSERT INTO t VALUES ${row}`)
    const { changes } = await reader.read()
    expect(changes.map((change) => change.new)).toEqual(await database.query('SELECT * FROM t'))
    expect(changes[0]?.columns.slice(1, 5)).toEqual([
      'm "My types"."Mood"',
      'ms "My types"."Mood"[]',
      'a public.adult',
      'aa public.adult[]',
    ])
  })

  test('the origin of what came by replication, which changes nothing', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION late FOR TABLE t`)
    await using reader = await lateReader(database, true)
    await database.query(
      `SELECT pg_replication_origin_create(current_database()), pg_replication_origin_session_setup(current_database())`,
    )
    await database.query(`INSERT INTO t VALUES (1)`)
    await database.query(`SELECT pg_replication_origin_session_reset(), pg_replication_origin_drop(current_database())`)
    await database.query(`INSERT INTO t VALUES (2)`)
    expect(rows((await reader.read()).changes)).toEqual([
      ['insert', null, { id: 1 }],
      ['insert', null, { id: 2 }],
    ])
  })

  test('generated columns, where the publication sends them', async (context) => {
    context.skip(postgres.version < 18, 'PostgreSQL publishes stored generated columns from version 18 on')
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (a int GENERATED ALWAYS AS (id * 2) STORED, id int PRIMARY KEY, v int GENERATED ALWAYS AS (id + 1) VIRTUAL);
      CREATE PUBLICATION late FOR TABLE t WITH (publish_generated_columns = stored)`)
    await using reader = await lateReader(database, true)
    await database.query(`INSERT INTO t (id) VALUES (4)`)
    await database.query(
      `ALTER TABLE t ALTER COLUMN a DROP EXPRESSION; ALTER TABLE t DROP COLUMN v; INSERT INTO t VALUES (1, 5)`,
    )
    const { changes } = await reader.read()
    expect(rows(changes)).toEqual([
      ['insert', null, { a: 8, id: 4 }],
      ['insert', null, { a: 1, id: 5 }],
    ])
  })
})
