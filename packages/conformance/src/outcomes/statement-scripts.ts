import type { Script } from './script.ts'

const ORDERS = `
  CREATE TABLE public.orders (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new', total numeric CHECK (total >= 0));
  INSERT INTO public.orders SELECT i, 'old', i FROM generate_series(1, 9) i;`

/** Statements of a program on tables without triggers of its own. */
export const statementScripts: readonly Script[] = [
  {
    name: 'INSERT, UPDATE, DELETE and TRUNCATE, in all their forms, and as they fail',
    setup: `${ORDERS} CREATE TABLE public.other (id int PRIMARY KEY, v text)`,
    tables: [{ table: 'public.orders' }, { table: 'public.other' }],
    steps: [
      `INSERT INTO public.orders VALUES (10, 'a', 1), (11, DEFAULT, NULL) RETURNING *`,
      `INSERT INTO public.orders (id) SELECT id + 100 FROM public.orders ORDER BY id RETURNING id`,
      `INSERT INTO public.orders SELECT 1, 'x', 1 WHERE false`,
      `INSERT INTO public.orders (id) VALUES (500), (1)`,
      `INSERT INTO public.orders (id, total) VALUES (500, 1), (501, -1)`,
      `INSERT INTO public.orders (id, status) VALUES (500, NULL)`,
      `UPDATE public.orders SET status = status`,
      `UPDATE public.orders SET total = total + 1 WHERE id < 5 RETURNING id, total`,
      `UPDATE public.orders SET id = id + 1000 WHERE id > 100 RETURNING id`,
      `UPDATE public.orders SET id = 3 WHERE id = 4`,
      `UPDATE public.orders SET total = 1 / (id - 5)`,
      `UPDATE public.orders o SET status = p.status FROM public.orders p WHERE p.id = o.id + 1 AND o.id < 4`,
      `DELETE FROM public.orders WHERE id = 5 RETURNING *`,
      `DELETE FROM public.orders o USING public.orders p WHERE o.id = p.id + 1 AND p.id < 3`,
      `DELETE FROM public.orders WHERE false`,
      `DELETE FROM public.orders WHERE 1 / (id - 1) > 0`,
      `SELECT count(*), sum(total) FROM public.orders`,
      `TRUNCATE public.orders, public.other`,
      `INSERT INTO public.orders (id) SELECT generate_series(1, 500)`,
      `INSERT INTO public.other SELECT id, status FROM public.orders`,
      `BEGIN; TRUNCATE public.other; INSERT INTO public.other VALUES (1, 'after'); ROLLBACK`,
      `BEGIN; TRUNCATE public.other RESTART IDENTITY; INSERT INTO public.other VALUES (1, 'after'); COMMIT`,
      `WITH o AS (SELECT * FROM public.orders WHERE id < 4 FOR UPDATE) SELECT count(*) FROM o`,
      `DECLARE c CURSOR FOR SELECT * FROM public.orders`,
      `BEGIN; DECLARE c CURSOR FOR SELECT * FROM public.orders ORDER BY id FOR UPDATE; FETCH 2 FROM c; UPDATE public.orders SET status = 'at' WHERE CURRENT OF c; DELETE FROM public.orders WHERE CURRENT OF c; COMMIT`,
      `PREPARE p (int) AS UPDATE public.orders SET status = 'prepared' WHERE id = $1 RETURNING *`,
      `EXECUTE p (3)`,
      `EXECUTE p (9999)`,
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT 1`,
    ],
    errors: ['23505', '23514', '23502', '23505', '22012', '22012', '25P01'],
  },
  {
    name: 'ON CONFLICT, both ways',
    setup: ORDERS,
    tables: [{ table: 'public.orders' }],
    steps: [
      `INSERT INTO public.orders VALUES (1, 'x', 1), (20, 'x', 1) ON CONFLICT DO NOTHING RETURNING id`,
      `INSERT INTO public.orders VALUES (1, 'x', 1), (21, 'x', 1) ON CONFLICT (id) DO UPDATE SET status = excluded.status, total = orders.total + 1 RETURNING *`,
      `INSERT INTO public.orders VALUES (1, 'y', 1), (22, 'y', 1) ON CONFLICT (id) DO UPDATE SET status = excluded.status WHERE orders.total > 100 RETURNING *`,
      `INSERT INTO public.orders VALUES (30, 'z', 1), (30, 'z', 1) ON CONFLICT (id) DO UPDATE SET total = 2`,
      `INSERT INTO public.orders VALUES (2, 'z', 1) ON CONFLICT (id) DO UPDATE SET id = excluded.id + 100`,
      `INSERT INTO public.orders VALUES (3, 'z', 1) ON CONFLICT (id) DO UPDATE SET id = 4`,
      `INSERT INTO public.orders VALUES (3, 'z', 1) ON CONFLICT (status) DO NOTHING`,
    ],
    errors: ['21000', '23505', '42P10'],
  },
  {
    name: 'MERGE',
    minVersion: 15,
    setup: ORDERS,
    tables: [{ table: 'public.orders' }],
    steps: [
      `MERGE INTO public.orders o USING (VALUES (1, 'x'), (2, NULL), (40, 'new')) s (id, v) ON o.id = s.id
       WHEN MATCHED AND s.v IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET status = s.v
       WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v, 0)`,
      `MERGE INTO public.orders o USING (VALUES (3), (3)) s (id) ON o.id = s.id WHEN MATCHED THEN UPDATE SET status = 'twice'`,
      `MERGE INTO public.orders o USING (VALUES (3), (41)) s (id) ON o.id = s.id
       WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT (id, total) VALUES (s.id, -1)`,
      `MERGE INTO public.orders o USING (VALUES (4), (42)) s (id) ON o.id = s.id
       WHEN MATCHED THEN UPDATE SET id = o.id + 300 WHEN NOT MATCHED THEN INSERT (id) VALUES (5)`,
    ],
    errors: ['21000', '23514', '23505'],
  },
  {
    name: 'WITH parts that write to the same table and to others',
    setup: `${ORDERS} CREATE TABLE public.archive (id int PRIMARY KEY, status text, total numeric)`,
    tables: [{ table: 'public.orders' }, { table: 'public.archive' }],
    steps: [
      `WITH gone AS (DELETE FROM public.orders WHERE id < 4 RETURNING *) INSERT INTO public.archive SELECT * FROM gone RETURNING id`,
      `WITH gone AS (DELETE FROM public.orders WHERE id = 4 RETURNING *) INSERT INTO public.orders SELECT * FROM gone`,
      `WITH a AS (UPDATE public.orders SET status = 'a' WHERE id = 5 RETURNING id), b AS (INSERT INTO public.archive SELECT id FROM a RETURNING id),
            c AS (DELETE FROM public.orders WHERE id = 6 RETURNING id) UPDATE public.orders SET total = 0 FROM b, c WHERE orders.id = b.id + 2 RETURNING *`,
      `WITH a AS (UPDATE public.orders SET status = 'one' WHERE id = 8) UPDATE public.orders SET status = 'two' WHERE id = 8`,
      `WITH a AS (INSERT INTO public.archive VALUES (1, 'twice', 1)) DELETE FROM public.orders`,
      `WITH a AS (DELETE FROM public.archive) SELECT count(*) FROM public.archive`,
    ],
    errors: ['23505'],
  },
  {
    name: 'savepoints, subtransactions and whole transactions that are taken back',
    setup: ORDERS,
    tables: [{ table: 'public.orders' }],
    steps: [
      `BEGIN; INSERT INTO public.orders (id) VALUES (50); SAVEPOINT a; UPDATE public.orders SET status = 'gone'; ROLLBACK TO a; UPDATE public.orders SET status = 'stays' WHERE id = 50; COMMIT`,
      `BEGIN; SAVEPOINT a; DELETE FROM public.orders WHERE id = 1; SAVEPOINT b; DELETE FROM public.orders; ROLLBACK TO b; RELEASE b; RELEASE a; COMMIT`,
      `BEGIN; DELETE FROM public.orders; ROLLBACK`,
      `BEGIN`,
      `SAVEPOINT a`,
      `INSERT INTO public.orders (id) VALUES (2)`,
      `INSERT INTO public.orders (id) VALUES (60)`,
      `ROLLBACK TO a`,
      `INSERT INTO public.orders (id) VALUES (61)`,
      `COMMIT`,
      `DO $$ BEGIN FOR i IN 1..20 LOOP BEGIN
         INSERT INTO public.orders (id) VALUES (70 + i); IF i % 3 = 0 THEN RAISE EXCEPTION 'no'; END IF; UPDATE public.orders SET total = i WHERE id = 70 + i;
       EXCEPTION WHEN raise_exception THEN RAISE NOTICE 'took back %', i; END; END LOOP; END $$`,
      `BEGIN ISOLATION LEVEL REPEATABLE READ; UPDATE public.orders SET total = 5 WHERE id = 3; COMMIT`,
      `BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE public.orders SET total = 6 WHERE id = 3; COMMIT`,
      `BEGIN READ ONLY; UPDATE public.orders SET total = 7 WHERE id = 3`,
      `ROLLBACK`,
    ],
    errors: ['23505', '25P02', '25006'],
  },
  {
    name: 'foreign keys that cascade, set null, set a default and forbid, and constraints that wait for the commit',
    setup: `
      CREATE TABLE public.root (id int PRIMARY KEY);
      CREATE TABLE public.leaf (id int PRIMARY KEY, a int REFERENCES public.root ON DELETE CASCADE ON UPDATE CASCADE,
        b int REFERENCES public.root ON DELETE SET NULL ON UPDATE CASCADE, c int DEFAULT 1 REFERENCES public.root ON DELETE SET DEFAULT ON UPDATE SET NULL,
        d int REFERENCES public.root DEFERRABLE INITIALLY DEFERRED, up int REFERENCES public.leaf ON DELETE CASCADE ON UPDATE CASCADE);
      CREATE TABLE public.unique_late (id int PRIMARY KEY, n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
      INSERT INTO public.root SELECT generate_series(1, 9);
      INSERT INTO public.leaf VALUES (1, 2, 3, 4, NULL, NULL), (2, 3, 2, 1, NULL, 1), (3, 5, 5, 5, 5, 2), (4, NULL, NULL, NULL, NULL, 3);
      INSERT INTO public.unique_late SELECT i, i FROM generate_series(1, 4) i;`,
    tables: [{ table: 'public.root' }, { table: 'public.leaf' }, { table: 'public.unique_late' }],
    steps: [
      `UPDATE public.root SET id = 20 WHERE id = 2`,
      `DELETE FROM public.root WHERE id = 3`,
      `DELETE FROM public.root WHERE id = 4`,
      `DELETE FROM public.root WHERE id = 5`,
      `UPDATE public.leaf SET id = id + 100`,
      `BEGIN; UPDATE public.leaf SET d = 99 WHERE id = 103; UPDATE public.root SET id = 99 WHERE id = 6; COMMIT`,
      `BEGIN; UPDATE public.leaf SET d = 98; SET CONSTRAINTS ALL IMMEDIATE; COMMIT`,
      `ROLLBACK`,
      `UPDATE public.unique_late SET n = 5 - n`,
      `BEGIN; UPDATE public.unique_late SET n = 1; COMMIT`,
      `ROLLBACK`,
      `INSERT INTO public.leaf VALUES (200, 1, 1, 1, 1, 1)`,
      `TRUNCATE public.root`,
      `DELETE FROM public.leaf WHERE id = 101`,
      `TRUNCATE public.root CASCADE`,
      `INSERT INTO public.root VALUES (1)`,
    ],
    errors: ['23503', '23505', '23503', '0A000'],
  },
  {
    name: 'generated and identity columns, domains, defaults that cannot be guessed',
    setup: `
      CREATE DOMAIN public.positive AS int CHECK (VALUE > 0);
      CREATE TABLE public.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n public.positive, double int GENERATED ALWAYS AS (n * 2) STORED,
        serial int GENERATED BY DEFAULT AS IDENTITY, at timestamptz DEFAULT 'epoch');`,
    tables: [{ table: 'public.t' }],
    steps: [
      `INSERT INTO public.t (n) VALUES (1), (2) RETURNING *`,
      `INSERT INTO public.t (id, n) VALUES (7, 1)`,
      `INSERT INTO public.t (id, n) OVERRIDING SYSTEM VALUE VALUES (7, 1) RETURNING *`,
      `INSERT INTO public.t (n, double) VALUES (1, 1)`,
      `INSERT INTO public.t (n) VALUES (-1)`,
      `UPDATE public.t SET n = n + 1 RETURNING double`,
      `UPDATE public.t SET id = 1`,
      `UPDATE public.t SET id = DEFAULT RETURNING id`,
      `TRUNCATE public.t RESTART IDENTITY`,
      `INSERT INTO public.t (n) VALUES (9) RETURNING *`,
    ],
    errors: ['428C9', '428C9', '23514', '428C9'],
  },
]
