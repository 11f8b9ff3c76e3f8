import { isDeepStrictEqual } from 'node:util'

import type { TestDatabase } from '@rowtap/driver-testkit'
import { copyIn } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { DRIVER_NAMES } from '../drivers/known-drivers.ts'
import { RowtapProcess } from '../testing/rowtap-process.ts'
import type { ComparableEvent } from '../testing/comparable-events.ts'
import { byRow, comparableEvents, withoutIdentityFields } from '../testing/comparable-events.ts'

const TABLES = `
  CREATE TABLE orders (id integer PRIMARY KEY, status text, total numeric(10, 2) DEFAULT 0, at timestamptz DEFAULT 'epoch');
  CREATE TABLE items (order_id integer, line integer, note text, PRIMARY KEY (order_id, line));
  CREATE SCHEMA "Odd Schema";
  CREATE TABLE "Odd Schema"."Ta""ble.x" (
    "Id Nr" integer PRIMARY KEY, "select" text, "MixedCase" integer, "größe" text, "変更" text, "a""b.c" boolean
  );
  CREATE TABLE ending (id integer PRIMARY KEY)`

const NAMES = ['orders', 'items', '"Odd Schema"."Ta""ble.x"', 'ending'] as const

const FULL_IDENTITY = NAMES.map((name) => `ALTER TABLE ${name} REPLICA IDENTITY FULL`).join(';')

interface Statements {
  readonly name: string
  readonly run: (database: TestDatabase) => Promise<unknown>
  /** `kind table` of each change. */
  readonly expected: readonly string[]
  readonly since?: number
}

const sql = (text: string) => (database: TestDatabase) => database.query(text)
const repeated = (kind: string, count: number): readonly string[] => Array.from({ length: count }, () => kind)

/** In this order on one database: each finds the rows that those before it left. */
const STATEMENTS: readonly Statements[] = [
  {
    name: 'an insert of several rows',
    run: sql(
      `INSERT INTO orders (id, status, total) VALUES (1, 'new', 1.10), (2, NULL, 0), (3, 'new', -3), (4, '', 'NaN')`,
    ),
    expected: repeated('insert orders', 4),
  },
  {
    name: 'an update with effect on some rows, and without on others',
    run: sql(`UPDATE orders SET status = 'paid', total = CASE WHEN id = 1 THEN 2.20 ELSE total END WHERE id IN (1, 2)`),
    expected: repeated('update orders', 2),
  },
  {
    name: 'an update without effect',
    run: sql(`UPDATE orders SET status = status WHERE id = 3`),
    expected: ['update orders'],
  },
  { name: 'an update of no row', run: sql(`UPDATE orders SET status = 'x' WHERE id = 99`), expected: [] },
  {
    name: 'a delete of several rows',
    run: sql(`DELETE FROM orders WHERE id IN (1, 2)`),
    expected: repeated('delete orders', 2),
  },
  {
    name: 'a transaction that is rolled back',
    run: sql(`BEGIN; INSERT INTO orders (id) VALUES (10); ROLLBACK`),
    expected: [],
  },
  {
    name: 'a savepoint that is rolled back',
    run: sql(`
      BEGIN;
      INSERT INTO orders (id) VALUES (11);
      SAVEPOINT s; INSERT INTO orders (id) VALUES (12); UPDATE orders SET status = 'lost'; ROLLBACK TO s;
      INSERT INTO items VALUES (11, 1, 'kept');
      COMMIT`),
    expected: ['insert orders', 'insert items'],
  },
  {
    name: 'an insert with ON CONFLICT DO UPDATE',
    run: sql(
      `INSERT INTO orders (id, status) VALUES (11, 'again'), (13, 'first') ON CONFLICT (id) DO UPDATE SET status = excluded.status`,
    ),
    expected: ['update orders', 'insert orders'],
  },
  {
    name: 'an insert with ON CONFLICT DO NOTHING',
    run: sql(`INSERT INTO orders (id) VALUES (11) ON CONFLICT DO NOTHING`),
    expected: [],
  },
  {
    name: 'MERGE',
    since: 15,
    run: sql(`
      MERGE INTO orders USING (VALUES (3, 'merged'), (4, NULL), (14, 'added')) AS source (id, status) ON orders.id = source.id
      WHEN MATCHED AND source.status IS NULL THEN DELETE
      WHEN MATCHED THEN UPDATE SET status = source.status
      WHEN NOT MATCHED THEN INSERT (id, status) VALUES (source.id, source.status)`),
    expected: ['update orders', 'delete orders', 'insert orders'],
  },
  {
    name: 'COPY',
    run: async (database) =>
      copyIn(await database.connect(), 'COPY items FROM STDIN', '20\t1\ta\\tb\n20\t2\t\\N\n20\t3\tünï\\\\x\n'),
    expected: repeated('insert items', 3),
  },
  {
    name: 'a change of the key',
    run: sql(`UPDATE orders SET id = 111, status = 'moved' WHERE id = 11`),
    expected: ['delete orders', 'insert orders'],
  },
  {
    name: 'a change of one of two key columns, for several rows at once',
    run: sql(`UPDATE items SET line = line + 100 WHERE order_id = 20`),
    expected: ['delete items', 'insert items', 'delete items', 'insert items', 'delete items', 'insert items'],
  },
  {
    name: 'names that need quotes',
    run: sql(`
      INSERT INTO "Odd Schema"."Ta""ble.x" VALUES (1, 'select * from "x"', 2, '🐘', E'a\\nb\\tc\\\\d', true);
      UPDATE "Odd Schema"."Ta""ble.x" SET "select" = NULL, "größe" = 'ß';
      DELETE FROM "Odd Schema"."Ta""ble.x"`),
    expected: ['insert Ta"ble.x', 'update Ta"ble.x', 'delete Ta"ble.x'],
  },
  {
    name: 'a row of 1 MB',
    run: sql(`INSERT INTO items SELECT 30, 1, string_agg(md5(i::text), '') FROM generate_series(1, 32768) AS i`),
    expected: ['insert items'],
  },
  {
    name: 'an update beside a value of 1 MB',
    run: sql(`UPDATE items SET order_id = order_id, note = note WHERE order_id = 30`),
    expected: ['update items'],
  },
  { name: 'a delete of 1 MB', run: sql(`DELETE FROM items WHERE order_id = 30`), expected: ['delete items'] },
  {
    name: 'a transaction of 100,000 rows',
    run: sql(`INSERT INTO orders (id, status) SELECT i, 'many' FROM generate_series(1000001, 1100000) AS i`),
    expected: repeated('insert orders', 100_000),
  },
  {
    name: 'a truncate of two tables at once',
    run: sql(`TRUNCATE orders, items`),
    expected: ['truncate orders', 'truncate items'],
  },
  {
    name: 'a truncate of empty tables',
    run: sql(`TRUNCATE items, orders`),
    expected: ['truncate items', 'truncate orders'],
  },
]

/** Asserts that two lists are equal. `expect` alone takes seconds for 100,000 events: it is left to show a difference. */
function expectSame(received: readonly unknown[], expected: readonly unknown[]): void {
  if (!isDeepStrictEqual(received, expected)) expect(received).toEqual(expected)
}

describePostgres('the drivers print the same lines', (postgres) => {
  describe.each([
    ['full replica identity', FULL_IDENTITY],
    ['the default replica identity', ''],
  ])('%s', (_, identity) => {
    let database: TestDatabase
    let tails: readonly RowtapProcess[] = []
    let endings = 0

    beforeAll(async () => {
      database = await postgres.createDatabase()
      await database.query(TABLES)
      if (identity !== '') await database.query(identity)
      const tables = NAMES.flatMap((name) => ['--table', name])
      const flags = ['--json', '--values', 'text', '--transitions', 'idempotent']
      tails = DRIVER_NAMES.map(
        (driver) => new RowtapProcess(['tail', '--url', database.url, '--driver', driver, ...tables, ...flags]),
      )
      await Promise.all(tails.map((tail) => tail.ready()))
    })
    afterAll(async () => {
      await Promise.all(tails.map((tail) => tail[Symbol.asyncDispose]()))
      await database[Symbol.asyncDispose]()
    })

    /** What each driver prints for the statements. */
    async function printed(run: Statements['run']): Promise<readonly (readonly ComparableEvent[])[]> {
      await run(database)
      endings += 1
      await database.query(`INSERT INTO ending VALUES (${endings})`)
      const isEnding = (line: string): boolean =>
        line.includes('"table":"ending"') && line.includes(`"key":{"id":"${endings}"}`)
      return Promise.all(tails.map(async (tail) => comparableEvents((await tail.linesUntil(isEnding)).slice(0, -1))))
    }

    test.for(STATEMENTS)('$name', { timeout: 120_000 }, async (statements, { skip }) => {
      skip(postgres.version < (statements.since ?? 0), `PostgreSQL ${statements.since} and later`)
      const [wal = [], trigger = []] = (await printed(statements.run)).map(byRow)
      expectSame(wal.map(({ kind, table }) => `${kind} ${table}`).toSorted(), statements.expected.toSorted())
      if (identity !== '') return expectSame(trigger, wal)
      const unavailable = wal.map((event) => event.unavailable)
      expectSame(withoutIdentityFields(trigger, unavailable), withoutIdentityFields(wal, unavailable))
    })
  })
})
