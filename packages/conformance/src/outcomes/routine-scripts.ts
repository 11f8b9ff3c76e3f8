import type { Script } from './script.ts'

const T = 'CREATE TABLE public.t (id int PRIMARY KEY, v text, n int NOT NULL DEFAULT 0);'

function trigger(name: string, when: string, level: 'ROW' | 'STATEMENT', body: string): string {
  return `
    CREATE FUNCTION public.${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
    CREATE TRIGGER ${name} ${when} FOR EACH ${level} EXECUTE FUNCTION public.${name}();`
}

/** Triggers, functions, procedures and views of the user's. */
export const routineScripts: readonly Script[] = [
  {
    name: 'row triggers that write to their own table, before and after, over several levels',
    setup: `${T}
      ${trigger('before_row', 'BEFORE INSERT OR UPDATE ON public.t', 'ROW', `NEW.n := NEW.n + 1; IF NEW.v = 'skip' THEN RETURN NULL; END IF; UPDATE public.t SET n = n + 10 WHERE id = NEW.id - 1 AND n < 100; RETURN NEW;`)}
      ${trigger(
        'after_row',
        'AFTER INSERT OR UPDATE OR DELETE ON public.t',
        'ROW',
        `
        IF tg_op = 'INSERT' AND NEW.id < 5 THEN INSERT INTO public.t VALUES (NEW.id + 10, 'made') ON CONFLICT (id) DO UPDATE SET v = 'made again'; END IF;
        IF tg_op = 'DELETE' THEN DELETE FROM public.t WHERE id = OLD.id + 10; END IF;
        IF tg_op = 'UPDATE' AND NEW.v = 'die' THEN DELETE FROM public.t WHERE id = NEW.id; END IF; RETURN NULL;`,
      )}`,
    tables: [{ table: 'public.t' }],
    steps: [
      `INSERT INTO public.t VALUES (1, 'a'), (2, 'b'), (3, 'skip'), (4, 'd') RETURNING *`,
      `UPDATE public.t SET v = 'x' RETURNING id`,
      `INSERT INTO public.t VALUES (1, 'z'), (30, 'z') ON CONFLICT (id) DO UPDATE SET v = excluded.v RETURNING *`,
      `UPDATE public.t SET v = 'die' WHERE id IN (2, 12)`,
      `DELETE FROM public.t WHERE id = 1`,
      `UPDATE public.t SET id = id + 50 WHERE id > 10`,
      `DELETE FROM public.t`,
    ],
  },
  {
    name: 'statement triggers that write to their own table, before and after, with transition tables',
    setup: `${T}
      ${trigger('before_all', 'BEFORE INSERT OR DELETE ON public.t', 'STATEMENT', `IF pg_trigger_depth() < 2 THEN INSERT INTO public.t SELECT coalesce(max(id), 0) + 1000, tg_op FROM public.t; END IF; RETURN NULL;`)}
      CREATE FUNCTION public.after_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF pg_trigger_depth() < 2 THEN UPDATE public.t SET n = t.n + 1 FROM made WHERE made.id = t.id; DELETE FROM public.t WHERE n > 1; END IF; RETURN NULL; END $$;
      CREATE TRIGGER after_all AFTER INSERT ON public.t REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION public.after_all();`,
    tables: [{ table: 'public.t' }],
    steps: [
      `INSERT INTO public.t VALUES (1, 'a', 0), (2, 'b', 5) RETURNING *`,
      `INSERT INTO public.t SELECT 1, 'none' WHERE false`,
      `UPDATE public.t SET v = 'x'`,
      `DELETE FROM public.t WHERE id = 1`,
      `INSERT INTO public.t SELECT i, 'many' FROM generate_series(10, 300) i`,
    ],
  },
  {
    name: 'triggers that fail, that wait for the commit, and that replace what they are given',
    setup: `${T}
      ${trigger('guard', 'BEFORE UPDATE OR DELETE ON public.t', 'ROW', `IF OLD.v = 'fixed' THEN RAISE EXCEPTION 'fixed: %', OLD.id USING HINT = 'leave it'; END IF; RETURN coalesce(NEW, OLD);`)}
      CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.v = 'late' THEN UPDATE public.t SET v = 'in time', n = n + 1 WHERE id = NEW.id; END IF;
        IF NEW.v = 'never' THEN RAISE EXCEPTION 'never'; END IF; RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON public.t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.late();`,
    tables: [{ table: 'public.t' }],
    steps: [
      `INSERT INTO public.t VALUES (1, 'fixed'), (2, 'free'), (3, 'late')`,
      `UPDATE public.t SET n = 1`,
      `DELETE FROM public.t`,
      `BEGIN; INSERT INTO public.t VALUES (4, 'late'); UPDATE public.t SET n = 7 WHERE id = 4; DELETE FROM public.t WHERE id = 2; COMMIT`,
      `BEGIN; INSERT INTO public.t VALUES (5, 'never'); COMMIT`,
      `ROLLBACK`,
      `SELECT * FROM public.t ORDER BY id`,
    ],
    errors: ['P0001', 'P0001', 'P0001'],
  },
  {
    name: 'a trigger that takes back what it wrote, and goes on',
    setup: `${T}
      ${trigger('attempt', 'BEFORE INSERT ON public.t', 'ROW', `IF NEW.id > -9 THEN BEGIN INSERT INTO public.t VALUES (NEW.id - 1, 'again'); EXCEPTION WHEN unique_violation OR check_violation THEN RAISE NOTICE '% at %', sqlerrm, NEW.id; END; END IF; UPDATE public.t SET n = n + 1 WHERE id < NEW.id; RETURN NEW;`)}`,
    tables: [{ table: 'public.t' }],
    steps: [
      `ALTER TABLE public.t ADD CHECK (id > -3)`,
      `INSERT INTO public.t VALUES (1, 'c'), (3, 'a')`,
      `INSERT INTO public.t VALUES (-4, 'a')`,
    ],
    errors: ['23514'],
  },
  {
    name: 'functions and procedures that write, with transactions of their own',
    setup: `${T}
      CREATE FUNCTION public.put(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.t VALUES (i, 'put'); UPDATE public.t SET n = n + 1 WHERE v = 'put' AND id < 60 OR n = 7; RETURN i; END $$;
      CREATE FUNCTION public.plain(i int) RETURNS SETOF public.t LANGUAGE sql AS $$ UPDATE public.t SET v = 'plain' WHERE id = i RETURNING * $$;
      CREATE PROCEDURE public.work(k int) LANGUAGE plpgsql AS $$ BEGIN
        FOR i IN 1..k LOOP INSERT INTO public.t VALUES (100 + i, 'work'); IF i % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF; END LOOP; INSERT INTO public.t VALUES (99, 'end'); END $$;`,
    tables: [{ table: 'public.t' }],
    steps: [
      `SELECT public.put(1)`,
      `SELECT public.put(i) FROM generate_series(2, 5) i`,
      `INSERT INTO public.t SELECT public.put(i) + 20, 'outer' FROM generate_series(6, 8) i RETURNING id`,
      `UPDATE public.t SET v = 'x' || public.put(id + 50), n = 7 WHERE v = 'outer' RETURNING *`,
      `UPDATE public.t SET n = 8 WHERE id < 27 RETURNING public.put(id + 70)`,
      `UPDATE public.t SET n = 5 WHERE n = 7`,
      `UPDATE public.t SET n = 7 WHERE v LIKE 'x%' RETURNING id, public.put(id + 70)`,
      `UPDATE public.t SET n = 5 WHERE n > 5`,
      `DELETE FROM public.t WHERE v LIKE 'x%' AND public.put(id + 60) > 0`,
      `SELECT * FROM public.plain(4)`,
      `CALL public.work(4)`,
      `CALL public.work(4)`,
      `BEGIN; CALL public.work(2); COMMIT`,
      `ROLLBACK`,
      `DO $$ BEGIN INSERT INTO public.t VALUES (200, 'do'); COMMIT; DELETE FROM public.t WHERE id = 200; END $$`,
    ],
    errors: ['27000', '23505', '2D000'],
  },
  {
    name: 'views that are written through: those that PostgreSQL updates, INSTEAD OF triggers, rules',
    setup: `${T} INSERT INTO public.t VALUES (1, 'a'), (2, 'b');
      CREATE VIEW public.plain AS SELECT id, v FROM public.t WHERE n < 5 WITH CHECK OPTION;
      CREATE VIEW public.renamed AS SELECT id AS number, v || '' AS word FROM public.t;
      CREATE FUNCTION public.instead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF tg_op = 'INSERT' THEN INSERT INTO public.t VALUES (NEW.number, NEW.word); RETURN NEW; END IF;
        IF tg_op = 'UPDATE' THEN UPDATE public.t SET id = NEW.number, v = NEW.word WHERE id = OLD.number; RETURN NEW; END IF;
        DELETE FROM public.t WHERE id = OLD.number; RETURN OLD; END $$;
      CREATE TRIGGER instead INSTEAD OF INSERT OR UPDATE OR DELETE ON public.renamed FOR EACH ROW EXECUTE FUNCTION public.instead();
      CREATE TABLE public.log (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
      CREATE RULE logged AS ON UPDATE TO public.t DO ALSO INSERT INTO public.log (what) VALUES (OLD.v || ' to ' || NEW.v);`,
    tables: [{ table: 'public.t' }, { table: 'public.log' }],
    steps: [
      `INSERT INTO public.plain VALUES (3, 'c') RETURNING *`,
      `UPDATE public.plain SET v = upper(v)`,
      `DELETE FROM public.plain WHERE id = 3`,
      `INSERT INTO public.renamed VALUES (4, 'd') RETURNING *`,
      `UPDATE public.renamed SET number = number + 10, word = 'moved' RETURNING *`,
      `DELETE FROM public.renamed WHERE number = 11`,
      `UPDATE public.t SET n = 9`,
      `UPDATE public.plain SET v = 'unseen'`,
      `INSERT INTO public.log (what) SELECT v FROM public.plain`,
    ],
  },
]
