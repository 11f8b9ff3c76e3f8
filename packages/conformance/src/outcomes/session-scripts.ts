import type { Script } from './script.ts'

const T = 'CREATE TABLE public.t (id int PRIMARY KEY, v text);'

/** What is special is the session that writes. */
export const sessionScripts: readonly Script[] = [
  {
    name: 'transactions that are prepared, and committed or rolled back later',
    setup: `${T} INSERT INTO public.t VALUES (1, 'a')`,
    tables: [{ table: 'public.t' }],
    steps: [
      `BEGIN; INSERT INTO public.t VALUES (2, 'prepared'); UPDATE public.t SET v = 'b' WHERE id = 1; PREPARE TRANSACTION ':database'`,
      `INSERT INTO public.t VALUES (3, 'meanwhile')`,
      `COMMIT PREPARED ':database'`,
      `BEGIN; INSERT INTO public.t VALUES (4, 'prepared'); DELETE FROM public.t WHERE id = 3; PREPARE TRANSACTION ':database'`,
      `UPDATE public.t SET v = 'c' WHERE id = 1`,
      `ROLLBACK PREPARED ':database'`,
      `BEGIN; UPDATE public.t SET v = 'd' WHERE id = 3; PREPARE TRANSACTION ':database'`,
      `ROLLBACK`,
      `COMMIT PREPARED ':database'`,
      `COMMIT PREPARED ':database'`,
    ],
    errors: ['42704'],
  },
  {
    name: 'what replication writes, where it is asked for',
    setup: `${T} INSERT INTO public.t VALUES (1, 'a');
      CREATE FUNCTION public.never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it fired'; END $$;
      CREATE TRIGGER never BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.never();`,
    tables: [{ table: 'public.t' }],
    replicated: true,
    steps: [
      `INSERT INTO public.t VALUES (2, 'b')`,
      `SET session_replication_role = replica`,
      `INSERT INTO public.t VALUES (2, 'b'), (3, 'c') RETURNING *`,
      `UPDATE public.t SET id = id + 10`,
      `DELETE FROM public.t WHERE id = 12`,
      `INSERT INTO public.t SELECT i, 'many' FROM generate_series(100, 400) i`,
      `RESET session_replication_role`,
      `UPDATE public.t SET v = 'own'`,
      `TRUNCATE public.t`,
    ],
    errors: ['P0001'],
  },
  {
    name: 'a role that may do little, under row-level security',
    setup: `${T} INSERT INTO public.t VALUES (1, 'mine'), (2, 'yours');
      ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
      CREATE POLICY mine ON public.t USING (v = 'mine') WITH CHECK (v = 'mine');
      CREATE ROLE ":database";
      GRANT USAGE ON SCHEMA public TO ":database"; GRANT INSERT, UPDATE, DELETE, SELECT (id, v) ON public.t TO ":database";`,
    tables: [{ table: 'public.t' }],
    steps: [
      `SET ROLE ":database"`,
      `INSERT INTO public.t VALUES (3, 'mine') RETURNING *`,
      `INSERT INTO public.t VALUES (4, 'yours')`,
      `UPDATE public.t SET id = id + 10 RETURNING *`,
      `UPDATE public.t SET v = 'yours'`,
      `INSERT INTO public.t VALUES (2, 'mine') ON CONFLICT (id) DO UPDATE SET v = 'mine'`,
      `DELETE FROM public.t WHERE id > 10 RETURNING *`,
      `TRUNCATE public.t`,
      `RESET ROLE`,
      `DROP OWNED BY ":database"`,
      `DROP ROLE ":database"`,
    ],
    errors: ['42501', '42501', '42501', '42501'],
  },
  {
    name: 'tables that are altered between statements, and in the middle of a transaction',
    setup: `${T} INSERT INTO public.t SELECT i, 'a' FROM generate_series(1, 5) i`,
    tables: [{ table: 'public.t' }],
    steps: [
      `BEGIN; UPDATE public.t SET v = 'b' WHERE id = 1; ALTER TABLE public.t ADD COLUMN w int; UPDATE public.t SET w = id WHERE id < 4; ROLLBACK`,
      `BEGIN; UPDATE public.t SET v = 'b' WHERE id = 1; ALTER TABLE public.t ADD COLUMN w int; UPDATE public.t SET w = id WHERE id < 4; COMMIT`,
      `UPDATE public.t SET w = 9`,
      `CREATE INDEX ON public.t (v)`,
      `INSERT INTO public.t VALUES (6, 'six', 6)`,
      `CLUSTER public.t USING t_pkey`,
      `VACUUM FULL public.t`,
      `UPDATE public.t SET v = v || '?' WHERE id > 3`,
      `ALTER TABLE public.t ALTER COLUMN w TYPE text`,
      `UPDATE public.t SET w = 'text'`,
    ],
  },
]
