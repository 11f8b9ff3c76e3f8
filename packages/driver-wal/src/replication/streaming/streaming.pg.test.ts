import type { TestDatabase } from '@rowtap/driver-testkit'
import { copyIn, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { describe, expect, test } from 'vitest'
import type { TestSession } from '../../testing/test-session.ts'
import { testSession, wanted } from '../../testing/test-session.ts'

const STREAMED = `SELECT coalesce(sum(stream_txns), 0)::int AS streamed FROM pg_stat_replication_slots
  WHERE slot_name IN (SELECT slot_name FROM pg_replication_slots WHERE database = current_database())`

const TABLES = `
  CREATE TABLE t (id int PRIMARY KEY, v text);
  CREATE TABLE full_row (id int PRIMARY KEY, v text, big text);
  ALTER TABLE full_row REPLICA IDENTITY FULL;
  CREATE TYPE mood AS ENUM ('sad', 'happy');
  CREATE TABLE parts (id int PRIMARY KEY, m mood) PARTITION BY RANGE (id);
  CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (1000000);
  CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (1000000) TO (10000000)`

/** Rows enough to be more than the server keeps in memory. */
const rows = (table: string, from: number, count = 1500): string =>
  `INSERT INTO ${table} (id, v) SELECT i, repeat('x', 60) || i FROM generate_series(${from}, ${from + count - 1}) AS i;`

interface Both extends AsyncDisposable {
  readonly database: TestDatabase
  readonly whole: TestSession
  readonly streamed: TestSession
  /** Both have delivered everything, and the same. */
  same(): Promise<void>
  /** The server has streamed at least so many transactions to them. */
  wasStreamed(transactions: number): Promise<void>
}

describePostgres('transactions that are streamed while they are open', (postgres) => {
  /** The same tables through protocol 1 and through protocol 2. */
  async function both(streamingBufferBytes: number): Promise<Both> {
    const stack = new AsyncDisposableStack()
    const database = stack.use(await postgres.createDatabase())
    await database.query(`ALTER DATABASE "${database.name}" SET logical_decoding_work_mem = '64kB'`)
    await database.query(`${TABLES}; CREATE TABLE last (id int PRIMARY KEY)`)
    const connection = database.url
    const whole = stack.use(await testSession({ connection }))
    const streamed = stack.use(await testSession({ connection, streaming: 'on', streamingBufferBytes }))
    for (const { session } of [whole, streamed]) {
      await session.capture(['t', 'full_row', 'parts', 'last'].map((name) => wanted(name)))
    }
    let last = 0
    return {
      database,
      whole,
      streamed,
      async same() {
        last += 1
        await database.query(`INSERT INTO last VALUES (${last})`)
        const isThere = ({ changes }: TestSession): boolean =>
          changes.some(({ table, new: row }) => table === 'last' && row?.[0] === String(last))
        await Promise.race([
          eventually(() => isThere(whole) && isThere(streamed), 'the last change'),
          whole.reading,
          streamed.reading,
        ])
        expect(streamed.changes.length).toBe(whole.changes.length)
        expect(streamed.changes).toEqual(whole.changes)
      },
      async wasStreamed(transactions) {
        // The server counts a little later.
        await eventually(
          async () => Number((await database.query(STREAMED))[0]?.['streamed']) >= transactions,
          `${transactions} streamed transactions`,
        )
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  }

  describe.each([
    ['in memory', 64 * 1024 * 1024],
    ['partly on the disk', 100_000],
    ['on the disk', 0],
  ])('kept %s', (_, bufferBytes) => {
    test('are delivered as if they had come after their commit', async () => {
      await using pair = await both(bufferBytes)
      const { database } = pair
      await database.query(`BEGIN; ${rows('t', 1)} UPDATE t SET v = 'y' WHERE id % 3 = 0; UPDATE t SET id = id + 100000 WHERE id % 5 = 0;
        DELETE FROM t WHERE id % 7 = 0; COMMIT`)
      await copyIn(
        await database.connect(),
        'COPY t FROM STDIN',
        Array.from({ length: 3000 }, (_value, index) => `${200_000 + index}\tcopied ${index}\n`).join(''),
      )
      await database.query(`BEGIN; INSERT INTO full_row SELECT i, 'v', (SELECT string_agg(md5((i * j)::text), '') FROM generate_series(1, 200) AS j) FROM generate_series(1, 100) AS i;
        UPDATE full_row SET v = 'changed'; COMMIT`)
      await database.query(`BEGIN; INSERT INTO parts SELECT i * 1000, 'sad' FROM generate_series(1, 3000) AS i;
        UPDATE parts SET id = id + 5000000, m = 'happy' WHERE id < 1000000; COMMIT`)
      await database.query(`BEGIN; ${rows('t', 300_000)} TRUNCATE t, full_row; ${rows('t', 400_000)} COMMIT`)
      await pair.same()
      await pair.wasStreamed(4)
      expect(pair.whole.changes.length).toBeGreaterThan(10_000)
    })

    test('leave out what was rolled back to savepoints, and whole transactions', async () => {
      await using pair = await both(bufferBytes)
      const { database } = pair
      await database.query(`BEGIN;
        ${rows('t', 1)}
        SAVEPOINT a; ${rows('t', 10_000)} ROLLBACK TO a; ${rows('t', 20_000)} RELEASE a;
        SAVEPOINT a; ${rows('t', 30_000)} SAVEPOINT b; ${rows('t', 40_000)} RELEASE b; ${rows('t', 50_000)} ROLLBACK TO SAVEPOINT a;
        SAVEPOINT a; ${rows('t', 60_000)} SAVEPOINT a; ${rows('t', 70_000)} ROLLBACK TO a; RELEASE a; ${rows('t', 80_000)}
        SAVEPOINT c; SAVEPOINT d; ${rows('t', 90_000)} ROLLBACK TO c; INSERT INTO t VALUES (100000); COMMIT`)
      await database.query(`BEGIN; ${rows('t', 200_000)} SAVEPOINT a; ${rows('t', 210_000)} ROLLBACK`)
      await database.query(`BEGIN; SAVEPOINT a; ${rows('t', 220_000)} ROLLBACK TO a; COMMIT`)
      await database.query(`DO $$ BEGIN
        FOR i IN 1..3000 LOOP
          BEGIN INSERT INTO t VALUES (300000 + i / 2, repeat('z', 100)); EXCEPTION WHEN unique_violation THEN NULL; END;
        END LOOP; END $$`)
      await pair.same()
      await pair.wasStreamed(3)
      expect(pair.whole.changes.length).toBe(4 * 1500 + 1 + 1501 + 1)
    })
  })

  test('of several sessions arrive in the order of their commits', async () => {
    await using pair = await both(300_000)
    const writers = await Promise.all([1, 2, 3, 4].map(() => pair.database.connect()))
    for (const writer of writers) await writer.query('BEGIN')
    for (let round = 0; round < 6; round += 1) {
      for (const [index, writer] of writers.entries()) {
        await writer.query(`SAVEPOINT a; ${rows('t', index * 1_000_000 + round * 10_000, 700)}`)
        await writer.query(round % 3 === 1 ? 'ROLLBACK TO a' : 'RELEASE a')
      }
      await pair.database.query(`INSERT INTO t VALUES (${9_000_000 + round}, 'small')`)
    }
    for (const [index, end] of ['COMMIT', 'ROLLBACK', 'COMMIT', 'COMMIT'].toReversed().entries()) {
      await writers[index]?.query(end)
    }
    await pair.same()
    await pair.wasStreamed(4)
    expect(pair.whole.changes.length).toBe(3 * 4 * 700 + 6 + 1)
  })

  test('may be prepared, and committed or rolled back by another session', async () => {
    await using pair = await both(0)
    const { database } = pair
    await database.query(`BEGIN; ${rows('t', 1)} PREPARE TRANSACTION 'one ${database.name}'`)
    await database.query(`BEGIN; ${rows('t', 10_000)} PREPARE TRANSACTION 'two ${database.name}'`)
    await database.query(`BEGIN; ${rows('t', 20_000)} COMMIT`)
    await database.query(`ROLLBACK PREPARED 'two ${database.name}'`)
    await database.query(`COMMIT PREPARED 'one ${database.name}'`)
    await pair.same()
    expect(pair.whole.changes.length).toBe(3001)
  })

  test('may change the tables that they write to', async () => {
    await using pair = await both(50_000)
    const { database } = pair
    await database.query(`BEGIN; ${rows('t', 1)}
      SAVEPOINT a; ALTER TABLE t ADD COLUMN gone int DEFAULT 3; ${rows('t', 5000)} ROLLBACK TO a; ${rows('t', 10_000)} COMMIT`)
    await database.query(`BEGIN; ${rows('t', 100_000)}
      ALTER TABLE t ADD COLUMN n int; UPDATE t SET n = 7; ALTER TABLE t RENAME COLUMN v TO w; UPDATE t SET n = 8;
      ALTER TABLE t DROP COLUMN w; INSERT INTO t SELECT i, 1 FROM generate_series(20000, 22000) AS i; COMMIT`)
    await database.query(`INSERT INTO t VALUES (1000000, 5)`)
    await database.query(`BEGIN; INSERT INTO t SELECT i, 1 FROM generate_series(30000, 32000) AS i; COMMIT`)
    await database.query(`ALTER TABLE t ALTER COLUMN n TYPE text; INSERT INTO t VALUES (1000001, 'text')`)
    await database.query(`BEGIN; INSERT INTO t SELECT i, 'x' FROM generate_series(40000, 42000) AS i; COMMIT`)
    await pair.same()
    await pair.wasStreamed(5)
    expect(new Set(pair.whole.changes.map(({ columns }) => columns.join())).size).toBe(6)
  })
})
