import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

describePostgres('the shape that a session of a writer knows', (postgres) => {
  test('is the present one after every change of the table, by itself, by others, and one that was taken back', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE other (id int, v text, n int)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t', 'other')
    const writer = await database.connect()
    const expected: string[] = []
    const write = async (sql: string, ...changes: readonly string[]): Promise<void> => {
      await writer.query(sql)
      expected.push(...changes)
    }
    // Twice each: the first time is when it is found out.
    await write(
      `INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (2, 'b')`,
      'insert t new=(1,a)',
      'insert t new=(2,b)',
    )
    await write(`INSERT INTO other VALUES (1, 'o', 7)`, 'insert other new=(1,o,7)')
    await database.query('ALTER TABLE t ADD n int')
    await write(`INSERT INTO t VALUES (3, 'c', 3)`, 'insert t new=(3,c,3)')
    await session.count(4)
    await eventually(
      async () => (await database.query(`SELECT FROM rowtap.shape WHERE relation = 't'::regclass`)).length === 2,
      'the new shape is recorded',
    )
    await write(`INSERT INTO t VALUES (4, 'd', 4)`, 'insert t new=(4,d,4)')
    await write(
      `BEGIN; SAVEPOINT s; ALTER TABLE t DROP v; INSERT INTO t VALUES (5, 5); ROLLBACK TO SAVEPOINT s;
       INSERT INTO t VALUES (6, 'f', 6); COMMIT`,
      'insert t new=(6,f,6)',
    )
    await write(
      `BEGIN; ALTER TABLE t DROP v; UPDATE t SET n = 10 WHERE id = 1; COMMIT; DELETE FROM t WHERE id = 1`,
      'update t old=(1,NULL) new=(1,10)',
      'delete t old=(1,10)',
    )
    await write(`INSERT INTO other VALUES (2, 'o', 7)`, 'insert other new=(2,o,7)')
    await database.query('ALTER TABLE t RENAME n TO m; ALTER TABLE t ALTER m TYPE numeric(6, 2)')
    await write(
      'UPDATE t SET m = m + 1 WHERE id = 2; INSERT INTO t VALUES (7, 7)',
      'update t old=(2,NULL) new=(2,NULL)',
    )
    expected.push('insert t new=(7,7.00)')
    expect((await session.count(expected.length)).map(describeChange)).toEqual(expected)
    expect(session.changes.at(-1)?.relation.columns.map(({ name }) => name)).toEqual(['id', 'm'])
  })

  test('does not depend on the names of columns, and a table without any has changes, too', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (n int PRIMARY KEY, o text, new_rows text, old_rows text, rows text, text text);
      CREATE TABLE none ()`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t', 'none')
    await database.query(`
      INSERT INTO t SELECT i, 'o', 'n', 'o', 'r', 't' FROM generate_series(1, 3) i; UPDATE t SET o = '1' WHERE n = 1;
      UPDATE t SET o = '2'; DELETE FROM t WHERE n > 1; INSERT INTO none SELECT FROM generate_series(1, 2)`)
    const kinds = (await session.count(11)).map(({ kind, relation }) => `${kind} ${relation.name}`)
    expect(kinds.filter((kind) => kind === 'update t')).toHaveLength(4)
    expect(kinds.slice(-2)).toEqual(['insert none', 'insert none'])
  })
})
