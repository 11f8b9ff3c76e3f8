import type { TestDatabase } from '@rowtap/driver-testkit'
import { seededRandom } from '@rowtap/driver-testkit'
import assert from 'node:assert/strict'

/** The tables of pgbench, with few rows, so that its clients meet. */
export const TPCB_TABLES = `
  CREATE TABLE public.pgbench_branches (bid int PRIMARY KEY, bbalance int NOT NULL DEFAULT 0, filler char(88)) WITH (fillfactor = 100);
  CREATE TABLE public.pgbench_tellers (tid int PRIMARY KEY, bid int NOT NULL, tbalance int NOT NULL DEFAULT 0, filler char(84)) WITH (fillfactor = 100);
  CREATE TABLE public.pgbench_accounts (aid int PRIMARY KEY, bid int NOT NULL, abalance int NOT NULL DEFAULT 0, filler char(84)) WITH (fillfactor = 100);
  CREATE TABLE public.pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
  INSERT INTO public.pgbench_branches SELECT i FROM generate_series(1, 2) i;
  INSERT INTO public.pgbench_tellers SELECT i, 1 + i % 2 FROM generate_series(1, 20) i;
  INSERT INTO public.pgbench_accounts SELECT i, 1 + i % 2, 0, '' FROM generate_series(1, 500) i;`

/** Runs transactions of pgbench's built-in script (TPC-B-like) on so many connections at once. */
export async function runTpcb(
  database: TestDatabase,
  clients: number,
  transactions: number,
  seed: number,
): Promise<void> {
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      const random = seededRandom(seed + client)
      const connection = await database.connect()
      for (let count = 0; count < transactions; count += 1) {
        const [aid, tid, bid] = [1 + random.integer(500), 1 + random.integer(20), 1 + random.integer(2)]
        const delta = random.integer(10_001) - 5000
        await connection.query('BEGIN')
        const changed = [
          await connection.query('UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2', [delta, aid]),
          await connection.query('SELECT abalance FROM pgbench_accounts WHERE aid = $1', [aid]),
          await connection.query('UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2', [delta, tid]),
          await connection.query('UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2', [delta, bid]),
          await connection.query(
            'INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)',
            [tid, bid, aid, delta],
          ),
        ]
        assert.deepEqual(
          changed.map(({ rowCount }) => rowCount),
          [1, 1, 1, 1, 1],
        )
        await connection.query('END')
      }
      await connection.end()
    }),
  )
}
