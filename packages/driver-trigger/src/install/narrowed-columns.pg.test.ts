import type { CaptureRequest, Change, Operation } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { catalogueSnapshot, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import type { TestSession } from '../testing/open-test-session.ts'
import { openTestSession } from '../testing/open-test-session.ts'

const ALL: readonly Operation[] = ['insert', 'update', 'delete', 'truncate']

interface Wish {
  readonly table?: string
  readonly columns: readonly string[] | null
  readonly operations?: readonly Operation[]
  /** A condition on `id`. */
  readonly where?: string
}

/** Captures a table for one listener. */
async function listen({ session }: TestSession, wish: Wish): Promise<void> {
  const { table = 't', columns, operations = ALL, where } = wish
  const tree = { kind: 'null', column: 'id', negated: false } as const
  const request: CaptureRequest = {
    table: { schema: 'public', name: table },
    operations: new Set(operations),
    columns: columns === null ? null : new Set(columns),
    comparedEnums: new Set(),
    where: where === undefined ? null : [{ tree, sql: where }],
  }
  await session.capture([request])
}

function open(database: TestDatabase): Promise<TestSession> {
  return openTestSession({ connection: database.url, pushdown: 'conditions' })
}

/** A change with the columns that it holds. */
function described({ kind, relation, old, new: row }: Change): string {
  const print = (name: string, tuple: Change['new']): string => {
    if (tuple === null) return ''
    const values = relation.columns.map((column, index) => [column.name, tuple.text(index)] as const)
    return ` ${name}=${values.flatMap(([column, text]) => (text === undefined ? [] : [`${column}:${text ?? 'NULL'}`])).join()}`
  }
  return `${kind}${print('old', old)}${print('new', row)}`
}

/** What the trigger functions have put into the queue, texts only. */
async function queued(database: TestDatabase): Promise<unknown> {
  const rows = await database.query('SELECT old, new FROM rowtap.queue ORDER BY seq')
  return rows.map(({ old, new: row }) => [old, row])
}

const T = 'CREATE TABLE t (big text, id int PRIMARY KEY, a text, b int)'

describePostgres('a trigger whose listeners name columns', (postgres) => {
  test('captures these and the key, and no update that changes none of them', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    const before = await catalogueSnapshot(database)
    const session = await open(database)
    await listen(session, { columns: ['id', 'a'] })
    session.holdBack()
    await database.query(`INSERT INTO t SELECT repeat('x', 5000), i, 'a', i FROM generate_series(1, 3) i`)
    await database.query(
      `UPDATE t SET b = b + 1; UPDATE t SET big = NULL WHERE id = 2; UPDATE t SET a = 'c' WHERE id = 1`,
    )
    await database.query(`UPDATE t SET a = CASE id WHEN 2 THEN a ELSE 'd' END, b = 0`)
    await database.query(`UPDATE t SET id = 5 WHERE id = 1; DELETE FROM t WHERE id = 5`)
    await session.count(8)
    expect(session.changes.map(described)).toEqual([
      'insert new=id:1,a:a',
      'insert new=id:2,a:a',
      'insert new=id:3,a:a',
      'update old=id:1,a:a new=id:1,a:c',
      'update old=id:3,a:a new=id:3,a:d',
      'update old=id:1,a:c new=id:1,a:d',
      'update old=id:1,a:d new=id:5,a:d',
      'delete old=id:5,a:d',
    ])
    expect(await queued(database)).toEqual([
      [null, '(1,a)\n(2,a)\n(3,a)'],
      ['(1,a)', '(1,c)'],
      // In the order of the scan, by where the rows are.
      ['(3,a)\n.\n(1,c)', '(3,d)\n.\n(1,d)'],
      ['(1,d)', '(5,d)'],
      ['(5,d)', null],
    ])
    const [first] = session.changes
    expect(first?.relation.columns.map(({ name, leftOut = false }) => [name, leftOut])).toEqual([
      ['big', true],
      ['id', false],
      ['a', false],
      ['b', true],
    ])
    expect(first?.relation.primaryKey).toEqual([1])
    await session.close()
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('captures the rows that a condition wants, with their columns', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await open(database)
    await listen(session, { columns: ['id', 'a'], where: `("id" < 3)` })
    await database.query(`INSERT INTO t SELECT 'x', i, 'a', i FROM generate_series(1, 200) i`)
    await database.query(`UPDATE t SET a = 'b' WHERE id > 1; UPDATE t SET b = 1; UPDATE t SET id = 900 WHERE id = 2`)
    await database.query('DELETE FROM t')
    await session.count(5)
    expect(session.changes.map(described)).toEqual([
      'insert new=id:1,a:a',
      'insert new=id:2,a:a',
      'update old=id:2,a:a new=id:2,a:b',
      'update old=id:2,a:b new=id:900,a:b',
      'delete old=id:1,a:a',
    ])
  })

  test('captures what others want, too, and more as soon as they do, and less', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using one = await open(database)
    await using other = await open(database)
    await listen(one, { columns: ['id'] })
    await listen(other, { columns: ['id', 'b'] })
    await database.query(`INSERT INTO t VALUES ('x', 1, 'a', 1)`)
    await Promise.all([one.count(1), other.count(1)])
    await listen(other, { columns: null })
    await database.query(`INSERT INTO t VALUES ('x', 2, 'a', 2)`)
    await Promise.all([one.count(2), other.count(2)])
    await listen(other, { columns: ['id'] })
    await database.query(`INSERT INTO t VALUES ('x', 3, 'a', 3)`)
    await Promise.all([one.count(3), other.count(3)])
    expect(one.changes.map(described)).toEqual([
      'insert new=id:1,b:1',
      'insert new=big:x,id:2,a:a,b:2',
      'insert new=id:3',
    ])
    expect(other.changes.map(described)).toEqual(one.changes.map(described))
  })

  test('waits for those who have written before, where another client has just asked for the same', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using narrow = await open(database)
    await listen(narrow, { columns: ['id'] })
    const writer = await database.connect()
    await writer.query(`BEGIN; INSERT INTO t VALUES ('x', 1, 'a', 1)`)
    await using one = await open(database)
    await using other = await open(database)
    const both = [one, other].map((session) => listen(session, { columns: ['id', 'a'] }))
    const isWaiting = ({ notices }: TestSession): boolean => notices.some(({ kind }) => kind === 'wait')
    await eventually(() => isWaiting(one) && isWaiting(other), 'both wait')
    await writer.query(`COMMIT`)
    await Promise.all(both)
    await writer.query(`INSERT INTO t VALUES ('x', 2, 'a', 1)`)
    await Promise.all([one.count(1), other.count(1), narrow.count(2)])
    for (const session of [one, other]) {
      expect(session.changes.map(described).at(-1)).toBe('insert new=id:2,a:a')
    }
  })

  test('captures whole rows of a table that was altered, and in transactions that may see it as it was', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await open(database)
    await listen(session, { columns: ['id', 'a'] })
    await database.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO t VALUES ('x', 1, 'a', 1); COMMIT`)
    await database.query(`INSERT INTO t VALUES ('x', 2, 'a', 2); ALTER TABLE t ADD c int DEFAULT 7; UPDATE t SET b = 3`)
    await database.query(`ALTER TABLE t DROP COLUMN a; UPDATE t SET b = 4; DELETE FROM t WHERE id = 2`)
    await session.count(7)
    expect(session.changes.map(described).toSorted()).toEqual(
      [
        'insert new=big:x,id:1,a:a,b:1',
        'insert new=id:2,a:a',
        'update old=big:x,id:1,a:a,b:1,c:7 new=big:x,id:1,a:a,b:3,c:7',
        'update old=big:x,id:2,a:a,b:2,c:7 new=big:x,id:2,a:a,b:3,c:7',
        'update old=big:x,id:1,b:3,c:7 new=big:x,id:1,b:4,c:7',
        'update old=big:x,id:2,b:3,c:7 new=big:x,id:2,b:4,c:7',
        'delete old=big:x,id:2,b:4,c:7',
      ].toSorted(),
    )
    expect(session.error()).toBeNull()
  })

  test('keeps nothing of what an old snapshot showed', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await open(database)
    await listen(session, { columns: ['id', 'a'] })
    const writer = await database.connect()
    await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
    await database.query('ALTER TABLE t DROP a; ALTER TABLE t ADD a int')
    // What is planned here, from the sixth time on for good, is used again in the transaction after it.
    for (let id = 1; id <= 8; id += 1) await writer.query(`INSERT INTO t VALUES ('x', ${id}, ${id}, ${id})`)
    await writer.query('COMMIT')
    await writer.query(`INSERT INTO t VALUES ('y', 9, 9, 9)`)
    const changes = await session.count(9)
    const columns = changes.map(({ relation }) => relation.columns.find(({ name }) => name === 'a'))
    expect(
      changes.map(({ new: row, relation }) => row?.text(relation.columns.findIndex(({ name }) => name === 'a'))),
    ).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(columns.map((column) => `${column?.number} ${column?.typeName}`)).toEqual(Array(9).fill('5 integer'))
  })

  test('captures no more than is wanted again soon after another client has ended, and after an alteration', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await openTestSession({
      connection: database.url,
      pushdown: 'conditions',
      // Its tables are looked at five times in that time.
      leaseMs: 1000,
    })
    await listen(session, { columns: ['id'] })
    const other = await open(database)
    await listen(other, { columns: null })
    let id = 0
    const captured = async (): Promise<string> => {
      id += 1
      const before = session.changes.length
      await database.query(`INSERT INTO t (id) VALUES ($1)`, [id])
      const changes = await session.count(before + 1)
      const last = changes.at(-1)
      return last === undefined ? '' : described(last).replace(`id:${id}`, 'id')
    }
    expect(await captured()).toBe('insert new=big:NULL,id,a:NULL,b:NULL')
    await other.close()
    await eventually(async () => (await captured()) === 'insert new=id', 'the id alone')
    await database.query('ALTER TABLE t ADD c int')
    await eventually(async () => (await captured()) === 'insert new=id', 'the id alone, of the altered table')
    expect(session.notices).toEqual([])
  })

  test('is mistaken by no name of a column, and prints whatever is in it', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY, is_current boolean, chosen int, n int, "o" text, "quo""te's \\" text, "captured" int,
        "tg_op" text, gone int, state int)`)
    await database.query('ALTER TABLE t DROP COLUMN gone')
    await using session = await open(database)
    const columns = ['id', 'is_current', 'o', `quo"te's \\`, 'captured', 'tg_op', 'n']
    await listen(session, { columns, where: `("id" < 100)` })
    await database.query(
      `INSERT INTO t VALUES (1, false, 1, 2, $1, $1, 3, 'x', 4), (101, true, 1, 2, $1, $1, 3, 'x', 4)`,
      [`a,"b"\n(c)\\`],
    )
    await database.query(`UPDATE t SET is_current = NOT is_current, state = 0; UPDATE t SET state = 1; DELETE FROM t`)
    await session.count(3)
    const text = `a,"b"\n(c)\\`
    const row = (flag: string): string => `id:1,is_current:${flag},n:2,o:${text},quo"te's \\:${text},captured:3,tg_op:x`
    expect(session.changes.map(described)).toEqual([
      `insert new=${row('f')}`,
      `update old=${row('f')} new=${row('t')}`,
      `delete old=${row('t')}`,
    ])
  })

  test('computes no column that is not stored', async ({ skip }) => {
    skip(postgres.version < 18, 'from PostgreSQL 18 on')
    await using database = await postgres.createDatabase()
    await database.query(
      `CREATE TABLE t (v int GENERATED ALWAYS AS (1 / (id - id)) VIRTUAL, id int PRIMARY KEY, a text, b int)`,
    )
    await using session = await open(database)
    await listen(session, { columns: ['id', 'a'], where: `("id" < 3)` })
    await database.query(
      `INSERT INTO t (id, a) VALUES (1, 'a'), (5, 'a'); UPDATE t SET a = 'b'; UPDATE t SET b = 1; DELETE FROM t`,
    )
    await session.count(3)
    expect(session.changes.map(described)).toEqual([
      'insert new=id:1,a:a',
      'update old=id:1,a:a new=id:1,a:b',
      'delete old=id:1,a:b',
    ])
    // Columns that are called like what the function calls rows, and conditions alone.
    await database.query('ALTER TABLE t ADD o text, ADD n int')
    await listen(session, { columns: null, where: `("id" < 4)` })
    await database.query(`INSERT INTO t (id, a) VALUES (2, 'a'); UPDATE t SET n = 1; DELETE FROM t`)
    await session.count(6)
    expect(session.changes.slice(3).map(described)).toEqual([
      'insert new=id:2,a:a,b:NULL,o:NULL,n:NULL',
      'update old=id:2,a:a,b:NULL,o:NULL,n:NULL new=id:2,a:a,b:NULL,o:NULL,n:1',
      'delete old=id:2,a:a,b:NULL,o:NULL,n:1',
    ])
    // All that is stored: whole rows are captured.
    await listen(session, { columns: ['id', 'a', 'b', 'o', 'n'] })
    await database.query(`INSERT INTO t (id, a) VALUES (6, 'a'); UPDATE t SET b = 1`)
    await session.count(8)
    expect(session.changes.slice(6).map(described)).toEqual([
      'insert new=id:6,a:a,b:NULL,o:NULL,n:NULL',
      'update old=id:6,a:a,b:NULL,o:NULL,n:NULL new=id:6,a:a,b:1,o:NULL,n:NULL',
    ])
  })

  test('tells of the one row that is too large, and gives the others', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await open(database)
    await listen(session, { columns: ['id', 'a'] })
    await database.query(`INSERT INTO t VALUES (repeat('x', 140000000), 1, 'a', 1), ('x', 2, 'b', 2)`)
    await database.query(`UPDATE t SET a = repeat('y', 140000000) WHERE id = 2`)
    await database.query(`INSERT INTO t VALUES ('x', 3, 'c', 3)`)
    await session.count(3)
    expect(session.changes.map(described)).toEqual([
      'insert new=id:1,a:a',
      'insert new=id:2,a:b',
      'insert new=id:3,a:c',
    ])
    expect(session.notices).toMatchObject([{ kind: 'gap', reason: expect.stringContaining('is not delivered') }])
  })

  test('captures all rows, in the same shape, where a condition fails', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await open(database)
    await listen(session, { columns: ['id', 'a'], where: `(1 / ("id" - 6) > 0)` })
    await database.query(`INSERT INTO t VALUES ('x', 6, 'a', 1), ('x', 7, 'b', 2); UPDATE t SET b = 9; DELETE FROM t`)
    await session.count(6)
    expect(session.changes.map(described)).toEqual([
      'insert new=id:6,a:a',
      'insert new=id:7,a:b',
      'update old=id:6,a:a new=id:6,a:a',
      'update old=id:7,a:b new=id:7,a:b',
      'delete old=id:6,a:a',
      'delete old=id:7,a:b',
    ])
  })

  test('leaves the order of what one statement causes as it is', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`${T}; 
      CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO t VALUES ('x', new.id + 100, 'caused', 0);
        UPDATE t SET a = 'twice' WHERE id = new.id + 100;
        RETURN new;
      END $$;
      CREATE TRIGGER again BEFORE UPDATE ON t FOR EACH ROW WHEN (new.id < 100 AND new.a = 'go') EXECUTE FUNCTION again()`)
    await using session = await open(database)
    await listen(session, { columns: ['id', 'a'], operations: ['insert', 'update', 'delete'] })
    await database.query(`INSERT INTO t SELECT 'x', i, 'a', 0 FROM generate_series(1, 3) i`)
    await database.query(`UPDATE t SET a = 'go' WHERE id < 100`)
    await session.count(12)
    const ids = session.changes.slice(3).map(({ kind, new: row }) => `${kind} ${row?.text(1)} ${row?.text(2)}`)
    expect(ids).toEqual(
      ['1', '2', '3'].flatMap((id) => [`insert 10${id} caused`, `update 10${id} twice`, `update ${id} go`]),
    )
    // The same, where inserts are not captured.
    await listen(session, { columns: ['id', 'a'], operations: ['update', 'delete'] })
    await database.query(`DELETE FROM t WHERE id > 100; UPDATE t SET a = 'a'`)
    await session.count(18)
    await database.query(`UPDATE t SET a = 'go' WHERE id < 100`)
    await session.count(24)
    expect(session.changes.slice(18).map(({ kind, new: row }) => `${kind} ${row?.text(1)} ${row?.text(2)}`)).toEqual(
      ['1', '2', '3'].flatMap((id) => [`update 10${id} twice`, `update ${id} go`]),
    )
  })
})
