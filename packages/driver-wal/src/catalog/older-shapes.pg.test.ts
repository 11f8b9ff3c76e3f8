import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { describe, expect, test } from 'vitest'
import type { DecodedChange } from '../testing/decode-slot.ts'
import { lateReader } from '../testing/decode-slot.ts'

const news = (changes: readonly DecodedChange[]): unknown[] => changes.map((change) => change.new)

describePostgres('what was written before the catalogue changed', (postgres) => {
  // The client has run all the time, or was started afterwards.
  describe.each([
    ['known', true],
    ['unknown', false],
  ])('to a table that was %s then', (_, isKnown) => {
    test('has the columns that it was written with', async () => {
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE t (id int PRIMARY KEY, n int, price numeric(6, 2), gone date);
        CREATE PUBLICATION late FOR TABLE t`)
      await using reader = await lateReader(database, isKnown)
      await database.query(`INSERT INTO t VALUES (1, 1, 1.5, '2026-01-02')`)
      await database.query(`ALTER TABLE t RENAME COLUMN n TO m`)
      await database.query(`UPDATE t SET m = 2`)
      await database.query(
        `ALTER TABLE t ALTER COLUMN m TYPE text, DROP COLUMN gone, ADD COLUMN added bool DEFAULT true`,
      )
      await database.query(`UPDATE t SET m = 'three'`)
      await database.query(`ALTER TABLE t ALTER COLUMN price TYPE numeric(8, 3); ALTER TABLE t RENAME TO renamed`)
      await database.query(
        `CREATE SCHEMA other; ALTER TABLE renamed SET SCHEMA other; UPDATE other.renamed SET price = 2`,
      )
      await database.query(
        `ALTER TABLE other.renamed DROP COLUMN m, ALTER COLUMN price TYPE text, ALTER COLUMN id TYPE bigint`,
      )
      const { changes } = await reader.read()
      const day = new Date(2026, 0, 2)
      expect(changes.map(({ table, columns, new: row }) => [table, columns, row])).toEqual([
        [
          'public.t',
          ['id integer', 'n integer', 'price numeric(6,2)', 'gone date'],
          { id: 1, n: 1, price: '1.50', gone: day },
        ],
        [
          'public.t',
          ['id integer', 'm integer', 'price numeric(6,2)', 'gone date'],
          { id: 1, m: 2, price: '1.50', gone: day },
        ],
        [
          'public.t',
          ['id integer', 'm text', 'price numeric(6,2)', 'added boolean'],
          { id: 1, m: 'three', price: '1.50', added: true },
        ],
        [
          'other.renamed',
          ['id integer', 'm text', 'price numeric(8,3)', 'added boolean'],
          { id: 1, m: 'three', price: '2.000', added: true },
        ],
      ])
      expect(changes.map(({ key }) => key)).toEqual([['id'], ['id'], ['id'], ['id']])
    })

    test('has them within one transaction, too', async () => {
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE t (id int PRIMARY KEY, n int); CREATE PUBLICATION late FOR TABLE t`)
      await using reader = await lateReader(database, isKnown)
      await database.query(`BEGIN; INSERT INTO t VALUES (1, 1); ALTER TABLE t ADD COLUMN s text; INSERT INTO t VALUES (2, 2, 's');
        ALTER TABLE t RENAME COLUMN n TO m; INSERT INTO t VALUES (3, 3, 's'); SAVEPOINT a; ALTER TABLE t DROP COLUMN s;
        INSERT INTO t VALUES (4, 4); ROLLBACK TO a; INSERT INTO t VALUES (5, 5, 's'); ALTER TABLE t DROP COLUMN m;
        INSERT INTO t VALUES (6, 's'); COMMIT; DROP TABLE t`)
      const { changes } = await reader.read()
      expect(news(changes)).toEqual([
        { id: 1, n: 1 },
        { id: 2, n: 2, s: 's' },
        { id: 3, m: 3, s: 's' },
        { id: 5, m: 5, s: 's' },
        { id: 6, s: 's' },
      ])
      expect(new Set(changes.map(({ key }) => key.join()))).toEqual(new Set(['id']))
    })

    test('has its types, and those that are gone are text', async () => {
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN age AS int; CREATE DOMAIN older AS age;
        CREATE TYPE pair AS (a int, b text); CREATE DOMAIN feeling AS mood;
        CREATE TABLE t (id int PRIMARY KEY, m mood, ms mood[], a age, o older, ages age[], p pair, f feeling, l bigint[]);
        CREATE PUBLICATION late FOR TABLE t`)
      await using reader = await lateReader(database, isKnown)
      await database.query(`INSERT INTO t VALUES (1, 'sad', '{sad,happy}', 7, 8, '{1,2}', '(1,x)', 'happy', '{1,2}')`)
      await database.query(
        `DROP TABLE t; DROP DOMAIN older; DROP DOMAIN age; DROP DOMAIN feeling; DROP TYPE mood; DROP TYPE pair`,
      )
      // Somebody else's, of the same name.
      await database.query(`CREATE DOMAIN mood AS int; CREATE DOMAIN pair AS bool`)
      const { changes } = await reader.read()
      expect(news(changes)).toEqual([
        { id: 1, m: 'sad', ms: '{sad,happy}', a: 7, o: 8, ages: '{1,2}', p: '(1,x)', f: 'happy', l: ['1', '2'] },
      ])
      const types = changes[0]?.columns
      expect(types?.slice(0, 2)).toEqual(['id integer', 'm public.mood'])
      expect(types?.join()).not.toContain('???')
      expect(changes[0]?.key).toEqual(['id'])
    })

    test('is of the table that it was written to, although another one took its name', async () => {
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE t (id int PRIMARY KEY, n int); CREATE PUBLICATION late FOR TABLE t`)
      await using reader = await lateReader(database, isKnown)
      await database.query(`INSERT INTO t VALUES (1, 1)`)
      await database.query(`BEGIN; DELETE FROM t; DROP TABLE t; CREATE TABLE t (a text, b text, PRIMARY KEY (b, a));
        ALTER PUBLICATION late ADD TABLE t; INSERT INTO t VALUES ('x', 'y'); COMMIT`)
      await database.query(`UPDATE t SET a = 'z'; TRUNCATE t`)
      const { changes } = await reader.read()
      expect(changes.map(({ kind, key, old, new: row }) => [kind, key, old, row])).toEqual([
        ['insert', ['id'], null, { id: 1, n: 1 }],
        ['delete', ['id'], { id: 1 }, null],
        ['insert', ['b', 'a'], null, { a: 'x', b: 'y' }],
        ['update', ['b', 'a'], { a: 'x', b: 'y' }, { a: 'z', b: 'y' }],
        ['truncate', ['b', 'a'], null, null],
      ])
    })
  })

  test('tells of logical messages', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION late FOR TABLE t')
    await using reader = await lateReader(database, true)
    await database.query(
      `BEGIN; INSERT INTO t VALUES (1); SELECT pg_logical_emit_message(true, 'mine', 'content ä'); COMMIT`,
    )
    await database.query(
      `BEGIN; SELECT pg_logical_emit_message(true, 'mine', 'gone'), pg_logical_emit_message(false, 'other', ''); ROLLBACK`,
    )
    // Nobody waited for the log to be written.
    await database.query('INSERT INTO t VALUES (2)')
    const { messages } = await reader.read()
    expect(
      messages.map(({ prefix, content, transactional }) => [prefix, Buffer.from(content).toString(), transactional]),
    ).toEqual([
      ['mine', 'content ä', true],
      ['other', '', false],
    ])
    const positions = messages.map(({ position }) => position)
    expect(positions).toEqual(positions.toSorted())
  })
})
