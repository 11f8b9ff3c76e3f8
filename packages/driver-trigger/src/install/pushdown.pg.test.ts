import type { CaptureRequest, Condition } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { catalogueSnapshot, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import type { TestSession } from '../testing/open-test-session.ts'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

const T = 'CREATE TABLE t (id int PRIMARY KEY, v text, state int)'

/** Captures `t` for listeners with these conditions on a column; `null`: for one without. */
async function listen({ session }: TestSession, conditions: readonly string[] | null, column = 'id'): Promise<void> {
  const tree: Condition = { kind: 'null', column, negated: false }
  const request: CaptureRequest = {
    table: { schema: 'public', name: 't' },
    operations: new Set(['insert', 'update', 'delete', 'truncate']),
    columns: null,
    comparedEnums: new Set(),
    where: conditions?.map((sql) => ({ tree, sql })) ?? null,
  }
  await session.capture([request])
}

/** The ids of the new rows that have come. */
function ids({ changes }: TestSession): readonly (string | null | undefined)[] {
  return changes.map(({ new: row }) => row?.text(0))
}

async function inserted(database: TestDatabase, ...numbers: readonly number[]): Promise<void> {
  for (const id of numbers) await database.query('INSERT INTO t VALUES ($1)', [id])
}

describePostgres('a trigger that is told which rows are wanted', (postgres) => {
  test('captures those, those that were, and those that come to be, and leaves out the rest', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    const before = await catalogueSnapshot(database)
    await using session = await openTestSession({ connection: database.url, pushdown: 'conditions' })
    await listen(session, [`("id" < 3)`, `("id" = 10)`])
    await database.query(`INSERT INTO t SELECT i, 'a' FROM generate_series(1, 500) i`)
    await database.query(`UPDATE t SET v = 'b' WHERE id BETWEEN 2 AND 200; UPDATE t SET v = 'c' WHERE id = 300`)
    await database.query(`
      UPDATE t SET id = 1000 WHERE id = 1; UPDATE t SET id = 0 WHERE id = 400; UPDATE t SET id = 1001 WHERE id = 1000`)
    await database.query(`DELETE FROM t WHERE id > 1; TRUNCATE t; INSERT INTO t VALUES (1, 'last', NULL)`)
    await session.count(11)
    expect(session.changes.map(describeChange)).toEqual([
      'insert t new=(1,a,NULL)',
      'insert t new=(2,a,NULL)',
      'insert t new=(10,a,NULL)',
      'update t old=(2,a,NULL) new=(2,b,NULL)',
      'update t old=(10,a,NULL) new=(10,b,NULL)',
      'update t old=(1,a,NULL) new=(1000,a,NULL)',
      'update t old=(400,a,NULL) new=(0,a,NULL)',
      'delete t old=(2,b,NULL)',
      'delete t old=(10,b,NULL)',
      'truncate t',
      'insert t new=(1,last,NULL)',
    ])
    await session.close()
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('writes nothing into the queue for a statement of which nobody wants a row', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await openTestSession({ connection: database.url, pushdown: 'conditions' })
    await listen(session, [`("id" < 3)`])
    session.holdBack()
    await database.query(
      `INSERT INTO t SELECT generate_series(10, 3000); UPDATE t SET v = 'b'; DELETE FROM t WHERE id = 10`,
    )
    expect(await database.query('SELECT * FROM rowtap.queue')).toEqual([])
    await inserted(database, 1)
    await session.count(1)
    expect(await database.query('SELECT rows FROM rowtap.queue')).toEqual([{ rows: 1 }])
  })

  test('comes to capture more once those who have written before are done, and less', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await openTestSession({ connection: database.url, pushdown: 'conditions' })
    await listen(session, [`("id" < 3)`])
    const writer = await database.connect()
    await writer.query('BEGIN; INSERT INTO t VALUES (50)')
    const widened = listen(session, [`("id" < 3)`, `("id" > 49)`])
    await eventually(() => session.notices.length > 0, 'the notice')
    expect(session.notices).toMatchObject([
      { kind: 'wait', reason: expect.stringContaining('to capture more of its rows') },
    ])
    // Nobody has to wait meanwhile, and what begins now is captured as is wanted.
    await inserted(database, 1, 51)
    await writer.query('COMMIT')
    await widened
    await writer.query('INSERT INTO t VALUES (52)')
    await session.count(3)
    expect(ids(session)).toEqual(['1', '51', '52'])
    await listen(session, [`("id" = 60)`])
    await inserted(database, 2, 53, 60)
    await session.count(4)
    await listen(session, null)
    await inserted(database, 4)
    await session.count(5)
    expect(ids(session)).toEqual(['1', '51', '52', '60', '4'])
  })

  test('captures all where another client wants all, and where it was captured before by one that leaves nothing out', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    const narrow = await openTestSession({ connection: database.url, pushdown: 'conditions' })
    await listen(narrow, [`("id" < 3)`])
    await using other = await openTestSession({ connection: database.url })
    await other.capture('t')
    await inserted(database, 1, 100)
    await other.count(2)
    await narrow.count(2)
    await narrow.close()
    await using late = await openTestSession({ connection: database.url, pushdown: 'conditions' })
    await listen(late, [`("id" < 3)`])
    await inserted(database, 2, 101)
    await other.count(4)
    expect(ids(other)).toEqual(['1', '100', '2', '101'])
  })

  test('captures all of a table whose columns have been altered since, and of which it cannot tell', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await openTestSession({ connection: database.url, pushdown: 'conditions' })
    await listen(session, [`("v" = 'x')`], 'v')
    await inserted(database, 1)
    await database.query('ALTER TABLE t ALTER COLUMN v TYPE varchar(10)')
    await inserted(database, 2)
    await database.query('ALTER TABLE t DROP COLUMN v')
    await inserted(database, 3)
    await database.query('UPDATE t SET id = id + 10; DELETE FROM t WHERE id = 11')
    await session.count(6)
    expect(session.changes.map(({ kind }) => kind)).toEqual([
      'insert',
      'insert',
      'update',
      'update',
      'update',
      'delete',
    ])
    // Its name means something else in the trigger's function.
    await listen(session, [`("state" = 1)`], 'state')
    await inserted(database, 5)
    await session.count(7)
    expect(ids(session).at(-1)).toBe('5')
    // Whatever the condition is, the writer is not to fail.
    await listen(session, [`(1 / ("id" - 6) > 0)`])
    await inserted(database, 6, 7, 8)
    await session.count(9)
    expect(ids(session).slice(-2)).toEqual(['6', '7'])
  })
})
