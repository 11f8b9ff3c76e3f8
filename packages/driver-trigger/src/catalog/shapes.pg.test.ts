import type { Relation } from '@rowtap/core/driver'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import type { TestSession } from '../testing/open-test-session.ts'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

/** The changes with their columns' names and types. */
async function typed(session: TestSession, count: number): Promise<string[]> {
  const changes = await session.count(count)
  return changes.map((change) => {
    const columns = change.relation.columns.map((column) => `${column.name} ${column.typeName}`)
    return `${describeChange(change)} as (${columns.join(', ')})`
  })
}

describePostgres('the shape that a row was captured with', (postgres) => {
  test('is the one of its moment, within the transaction that alters the table, too', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text, n int)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query(`
      INSERT INTO t VALUES (1, 'a', 1);
      ALTER TABLE t ADD x date DEFAULT '2026-01-02'; INSERT INTO t VALUES (2, 'b', 2, '2026-02-03');
      ALTER TABLE t DROP v; INSERT INTO t VALUES (3, 3, '2026-03-04');
      ALTER TABLE t ALTER n TYPE numeric(5,1); INSERT INTO t VALUES (4, 4);
      ALTER TABLE t RENAME n TO m; INSERT INTO t VALUES (5, 5)`)
    await database.query('DELETE FROM t WHERE id = 5')
    expect(await typed(session, 6)).toEqual([
      'insert t new=(1,a,1) as (id integer, v text, n integer)',
      'insert t new=(2,b,2,2026-02-03) as (id integer, v text, n integer, x date)',
      'insert t new=(3,3,2026-03-04) as (id integer, n integer, x date)',
      'insert t new=(4,4.0,2026-01-02) as (id integer, n numeric(5,1), x date)',
      'insert t new=(5,5.0,2026-01-02) as (id integer, m numeric(5,1), x date)',
      'delete t old=(5,5.0,2026-01-02) as (id integer, m numeric(5,1), x date)',
    ])
  })

  test('is the row’s own where the writer’s snapshot is older than the columns', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int, gone text, k int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const writer = await database.connect()
    await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await writer.query('SELECT 1')
    await database.query('ALTER TABLE t DROP gone; ALTER TABLE t RENAME k TO key; ALTER TABLE t ADD list int[]')
    await writer.query(`INSERT INTO t VALUES (1, 2, '{3}')`)
    await writer.query(`ALTER TABLE t ADD v text`)
    await writer.query(`UPDATE t SET v = 'a'`)
    await writer.query('COMMIT')
    await database.query('DELETE FROM t')
    expect(await typed(session, 3)).toEqual([
      'insert t new=(1,2,{3}) as (id integer, key integer, list integer[])',
      'update t old=(1,2,{3},NULL) new=(1,2,{3},a) as (id integer, key integer, list integer[], v text)',
      'delete t old=(1,2,{3},a) as (id integer, key integer, list integer[], v text)',
    ])
    expect(session.changes.map((change) => change.relation.primaryKey)).toEqual([[1], [1], [1]])
  })

  test('has the collation of the row’s columns, also where the writer’s snapshot is older than that', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text, n "char", list text[] COLLATE "POSIX")')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query(`INSERT INTO t VALUES (1, 'a')`)
    await session.count(1)
    const writer = await database.connect()
    await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await writer.query('SELECT 1')
    await database.query('ALTER TABLE t ALTER v TYPE text COLLATE "C"')
    await writer.query(`INSERT INTO t VALUES (2, 'b'); INSERT INTO t VALUES (3, 'b')`)
    await writer.query('COMMIT')
    await session.count(3)
    await database.query('ALTER TABLE t ALTER v TYPE text COLLATE "und-x-icu"')
    await database.query(`INSERT INTO t VALUES (4, 'd')`)
    const collations = (await session.count(4)).map(({ relation }) => {
      const type = relation.columns[1]?.type
      return type?.kind === 'base' ? type.collation?.name : null
    })
    expect(collations).toEqual(['default', 'C', 'C', 'und-x-icu'])
  })

  test.each([
    ['rolled back', 'BEGIN', 'ROLLBACK'],
    ['rolled back to a savepoint', 'BEGIN; SAVEPOINT s', 'ROLLBACK TO s; COMMIT'],
  ])('is not the one that a transaction recorded which was %s', async (_, begin, end) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const writer = await database.connect()
    await writer.query(`INSERT INTO t VALUES (1, 'a'); UPDATE t SET v = 'b'`)
    await session.count(2)
    await database.query('ALTER TABLE t ADD n int')
    // The first records the new columns, and the second plans with what the first has recorded.
    await writer.query(`${begin}; INSERT INTO t VALUES (10, 'x', 1); UPDATE t SET v = 'y' WHERE id = 10; ${end}`)
    await writer.query(`UPDATE t SET v = 'c' WHERE id = 1`)
    await session.count(3)
    expect(session.changes.map(describeChange).at(-1)).toBe('update t old=(1,b,NULL) new=(1,c,NULL)')
  })

  test('is planned anew by a session that knew none, once it is recorded', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query('ALTER TABLE t ADD n int')
    const writer = await database.connect()
    await writer.query(`SET track_functions = 'all'`)
    let id = 0
    const write = async (): Promise<void> => {
      id += 1
      await writer.query('INSERT INTO t VALUES ($1, $$a$$, 1)', [id])
    }
    const lookedUp = async (): Promise<number> => {
      const { rows } = await writer.query<{ calls: string | null }>(
        `SELECT sum(calls) AS calls FROM pg_stat_xact_user_functions WHERE funcname IN ('settled_shape', 'committed_shape')`,
      )
      return Number(rows[0]?.calls ?? 0)
    }
    await write()
    // In one transaction: what has been counted is not taken away meanwhile.
    await eventually(async () => {
      await writer.query('BEGIN')
      const before = await lookedUp()
      for (let times = 0; times < 5; times += 1) await write()
      const after = await lookedUp()
      await writer.query('COMMIT')
      return after === before
    }, 'statements that look nothing up')
    expect(await session.count(id)).toHaveLength(id)
  })

  test('is the partition’s, under the name of the table at the top', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10);
      CREATE TABLE t2 (gone int, v text, id int NOT NULL); ALTER TABLE t2 DROP gone;
      ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (10) TO (20)`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query(`INSERT INTO t VALUES (1, 'a'), (11, 'b')`)
    await database.query('CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (20) TO (30)')
    await database.query(`UPDATE t SET id = 21 WHERE id = 1`)
    await database.query(`TRUNCATE t`)
    expect(await typed(session, 5)).toEqual([
      'insert t new=(1,a) as (id integer, v text)',
      'insert t new=(b,11) as (v text, id integer)',
      'delete t old=(1,a) as (id integer, v text)',
      'insert t new=(21,a) as (id integer, v text)',
      'truncate t as (id integer, v text)',
    ])
    expect(session.notices).toEqual([])
    await database.query('TRUNCATE t1; INSERT INTO t VALUES (2, $$c$$)')
    await session.count(6)
    expect(session.notices.map(({ kind }) => kind)).toEqual(['gap'])
  })

  test('numbers a column as the table at the top does, in every partition and under every snapshot', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int, gone int, v int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
      ALTER TABLE t DROP gone;
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10);
      CREATE TABLE t2 (v int, id int NOT NULL);
      ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (10) TO (20)`)
    await using session = await openTestSession({ connection: database.url })
    const described = await session.session.describe({ schema: 'public', name: 't' })
    await session.capture('t')
    await database.query(`INSERT INTO t VALUES (1, 1), (11, 1)`)
    const writer = await database.connect()
    await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await writer.query('SELECT 1')
    await database.query('ALTER TABLE t DROP v; ALTER TABLE t ADD v int')
    await writer.query(`INSERT INTO t VALUES (2, 1)`)
    await writer.query(`INSERT INTO t (v, id) VALUES (1, 12)`)
    await writer.query('COMMIT')
    const numbers = (columns: Relation['columns']): string => columns.map((one) => `${one.name} ${one.number}`).join()
    const changes = await session.count(4)
    expect([described, ...changes.map(({ relation }) => relation)].map(({ columns }) => numbers(columns))).toEqual([
      'id 1,v 3',
      'id 1,v 3',
      'v 3,id 1',
      'id 1,v 4',
      'id 1,v 4',
    ])
  })

  test('has one relation object, the one that describe returns', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await using session = await openTestSession({ connection: database.url })
    const relation = await session.session.describe({ schema: 'public', name: 't' })
    await session.capture('t')
    await database.query(`INSERT INTO t VALUES (1, 'a'); DELETE FROM t`)
    const changes = await session.count(2)
    expect(changes.every((change) => change.relation === relation)).toBe(true)
  })
})
