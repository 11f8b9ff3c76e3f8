import type { Script } from './script.ts'

const T = 'CREATE TABLE public.t (id int PRIMARY KEY, v text, n int NOT NULL DEFAULT 0);'

/** Has the server copy rows into a table, where a program may not send them: in a function. */
function copied(rows: string, table = 'public.t (id, v)'): string {
  return `EXECUTE $copy$COPY ${table} FROM PROGRAM 'echo ${rows.replaceAll(' ', '&& echo ')}' (FORMAT csv)$copy$;`
}

function onRow(name: string, when: string, body: string): string {
  return `
    CREATE FUNCTION public.${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$;
    CREATE TRIGGER ${name} ${when} ON public.t FOR EACH ROW EXECUTE FUNCTION public.${name}();`
}

function lines(from: number, to: number, text: string): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\t${text}\n`).join('')
}

const COPY = 'COPY public.t (id, v) FROM STDIN'

/** COPY, by itself, with triggers, and inside of other statements. */
export const copyScripts: readonly Script[] = [
  {
    name: 'COPY, and COPY that fails half-way',
    setup: `${T} ALTER TABLE public.t ADD CHECK (v <> 'bad')`,
    tables: [{ table: 'public.t' }],
    steps: [
      { copy: COPY, text: lines(1, 2500, 'a') },
      { copy: COPY, text: `${lines(3000, 3010, 'a')}1\tb\n` },
      { copy: COPY, text: `${lines(3000, 3010, 'a')}3011\tbad\n` },
      { copy: COPY, text: '3000\n' },
      { copy: "COPY public.t FROM STDIN WITH (FORMAT csv, NULL 'nothing')", text: '4000,nothing,1\n4001,"x\n,y",2\n' },
      { copy: COPY, text: '' },
      { copy: 'COPY public.t (id, v) FROM STDIN WHERE id > 4100', text: lines(4095, 4105, 'a') },
      'SELECT count(*), sum(id) FROM public.t',
      'BEGIN; TRUNCATE public.t',
      { copy: 'COPY public.t (id, v) FROM STDIN (FREEZE)', text: lines(1, 5, 'frozen') },
      'COMMIT',
    ],
    errors: ['23505', '23514', '22P04'],
  },
  {
    name: 'COPY with triggers that write to the table while rows are copied',
    setup: `${T}
      ${onRow('before_row', 'BEFORE INSERT', `UPDATE public.t SET n = n + 1 WHERE id IN (NEW.id - 1, NEW.id - 2); DELETE FROM public.t WHERE id = NEW.id - 5;`)}
      ${onRow('after_row', 'AFTER INSERT', `IF NEW.id % 7 = 0 THEN UPDATE public.t SET v = v || NEW.id WHERE id BETWEEN NEW.id - 1 AND NEW.id + 1; END IF;`)}`,
    tables: [{ table: 'public.t' }],
    steps: [
      { copy: COPY, text: lines(1, 120, 'a') },
      { copy: COPY, text: lines(1000, 1020, 'some longer text') },
      { copy: COPY, text: `${lines(2000, 2020, 'b')}1020\ttwice\n` },
    ],
    errors: ['23505'],
  },
  {
    name: 'COPY inside of a function, a trigger and another COPY, into the table that is being written',
    setup: `${T}
      CREATE FUNCTION public.load(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE format($f$COPY public.t (id, v) FROM PROGRAM 'echo %s,inner&& echo %s,inner' (FORMAT csv)$f$, i * 10, i * 10 + 1);
        UPDATE public.t SET n = n + 1 WHERE v = 'inner' AND id < 45 OR n = 7; RETURN i; END $$;
      ${onRow('before_row', 'BEFORE INSERT', `IF NEW.v = 'before' THEN ${copied('501,c 502,c')} UPDATE public.t SET n = 7 WHERE v = 'c'; END IF;`)}
      ${onRow('after_row', 'AFTER INSERT OR UPDATE', `IF NEW.v = 'after' THEN ${copied('601,d 602,d 603,d')} DELETE FROM public.t WHERE id = 602; UPDATE public.t SET v = 'done' WHERE id IN (NEW.id, 601); END IF;`)}`,
    tables: [{ table: 'public.t' }],
    steps: [
      'SELECT public.load(1)',
      `INSERT INTO public.t SELECT public.load(i), 'outer' FROM generate_series(2, 4) i`,
      `UPDATE public.t SET v = 'x' || public.load(id + 3), n = 7 WHERE id IN (2, 3, 4)`,
      `UPDATE public.t SET v = 'y' WHERE id IN (2, 3) AND public.load(id + 10) > 0`,
      `UPDATE public.t SET n = 6 WHERE n = 7`,
      `DELETE FROM public.t WHERE id IN (2, 3) AND public.load(id + 10) > 0`,
      `INSERT INTO public.t VALUES (300, 'a'), (301, 'before'), (302, 'a')`,
      `INSERT INTO public.t VALUES (310, 'a'), (311, 'after'), (312, 'a')`,
      'DELETE FROM public.t WHERE id > 500',
      { copy: COPY, text: '700\ta\n701\tbefore\n702\ta\n703\tafter\n704\ta\n' },
      'DELETE FROM public.t WHERE id > 500',
      `UPDATE public.t SET v = 'after' WHERE id = 300`,
      'SELECT public.load(1)',
      'TRUNCATE public.t',
      `WITH a AS (SELECT public.load(1)), b AS (INSERT INTO public.t VALUES (1, 'a') RETURNING id) UPDATE public.t SET v = v FROM a, b`,
      `BEGIN; SAVEPOINT s; SELECT public.load(2); ROLLBACK TO s; SELECT public.load(2); COMMIT`,
    ],
    errors: ['23505', '23505'],
  },
]
