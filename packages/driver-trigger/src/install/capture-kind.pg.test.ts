import { eventually } from '@rowtap/driver-testkit'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

/** What captures the rows of a table at present. */
async function kindOf(database: TestDatabase, table: string): Promise<string> {
  const rows = await database.query(
    `SELECT tgtype & 1 = 1 AS row FROM pg_trigger
     WHERE tgrelid = $1::regclass AND tgname LIKE '!rowtap %' AND tgname <> '!rowtap truncate'`,
    [table],
  )
  return rows.map(({ row }) => (row === true ? 'row' : 'statement')).join()
}

const STATEMENT = 'statement,statement,statement'

describePostgres('what captures a table', (postgres) => {
  test.each([
    ['a plain table', 'CREATE TABLE t (id int)', STATEMENT],
    ['a partitioned table', 'CREATE TABLE t (id int) PARTITION BY RANGE (id)', 'row'],
    ['a table with children', 'CREATE TABLE t (id int); CREATE TABLE child () INHERITS (t)', 'row'],
    ['a table with a parent', 'CREATE TABLE parent (id int); CREATE TABLE t () INHERITS (parent)', 'row'],
    [
      'a table with a trigger that only prepares rows',
      `CREATE TABLE t (id int);
       CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF new.id < 0 THEN RAISE EXCEPTION 'when?'; END IF; RETURN new; END $$;
       CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()`,
      STATEMENT,
    ],
    [
      'a table with a trigger that takes back what it does',
      `CREATE TABLE t (id int);
       CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN DELETE FROM t; RETURN new; EXCEPTION WHEN OTHERS THEN RETURN new; END $$;
       CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()`,
      'row',
    ],
  ])('is chosen for %s', async (_, sql, kind) => {
    await using database = await postgres.createDatabase()
    await database.query(sql)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    expect(await kindOf(database, 't')).toBe(kind)
  })

  test.each([
    ['limits temporary files', `temp_file_limit = '1GB'`],
    ['does not count what is written', 'track_counts = off'],
  ])('is chosen for a server that %s', async (_, setting) => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE t (id int); ALTER DATABASE ${database.name} SET ${setting}`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    expect(await kindOf(database, 't')).toBe('row')
  })

  test('is changed as the table changes, while changes go on, and told of where some may have been missed', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int); CREATE TABLE child (id int)')
    await using session = await openTestSession({ connection: database.url, leaseMs: 1000 })
    await session.capture('t')
    const writer = await database.connect()
    let written = 0
    const write = async (): Promise<void> => {
      written += 1
      await writer.query('INSERT INTO t VALUES ($1)', [written])
    }
    const becomes = async (kind: string): Promise<void> => {
      await eventually(async () => {
        await write()
        return (await kindOf(database, 't')) === kind
      }, `the table is captured by ${kind}`)
      await write()
    }
    await write()
    expect(session.notices).toEqual([])
    await database.query('ALTER TABLE child INHERIT t')
    await becomes('row')
    await eventually(() => session.notices.length > 0, 'the gap')
    expect(session.notices).toMatchObject([{ kind: 'gap', reason: expect.stringContaining('inherit') }])
    await database.query('INSERT INTO child VALUES (-1)')
    await database.query('ALTER TABLE child NO INHERIT t')
    await becomes(STATEMENT)
    const expected = Array.from({ length: written }, (__, index) => `insert t new=(${index + 1})`)
    expect((await session.count(written)).map(describeChange)).toEqual(expected)
    expect(session.notices).toHaveLength(1)
  })
})
