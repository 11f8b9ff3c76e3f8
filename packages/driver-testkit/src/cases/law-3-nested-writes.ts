import type { ChangeEvent } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { fold } from '../tools/fold.ts'
import { eventsSoFar, standardTable } from '../tools/standard-table.ts'

/** What happened to a row, in a few words: `+a ~b -`. */
function historyOf(events: readonly ChangeEvent[], id: number): string {
  const words = events.filter((event) => event.key?.['id'] === id)
  return words
    .map((event) => {
      if (event.kind === 'delete') return '-'
      return `${event.kind === 'insert' ? '+' : '~'}${String(event.new?.['v'])}`
    })
    .join(' ')
}

/** A case in which one statement's writes are interleaved with those that it causes. */
function nested(
  name: string,
  options: { readonly before: string; readonly sql: string; readonly minVersion?: number },
  histories: Readonly<Record<number, string>>,
): ConformanceCase {
  return {
    name,
    law: 3,
    needs: ['operations.insert', 'operations.update', 'operations.delete', 'order.row', 'keys.change'],
    ...(options.minVersion === undefined ? {} : { minVersion: options.minVersion }),
    async run(context) {
      const { database } = context
      await standardTable(database, 't', options.before)
      const start = await database.query('SELECT * FROM public.t')
      const collector = await context.listen(await context.connect(), { table: 'public.t' })
      await database.query(options.sql)
      const events = await eventsSoFar(database, collector, 't')
      for (const [id, history] of Object.entries(histories)) {
        assert.equal(historyOf(events, Number(id)), history, `reordered: the changes of row ${id}`)
      }
      const rows = await database.query('SELECT * FROM public.t WHERE id > 0 ORDER BY id')
      const folded = [...fold(events, { start }).values()]
      assert.deepEqual(
        folded.toSorted((one, other) => Number(one['id']) - Number(other['id'])),
        rows,
        'reordered: the events do not add up to the table',
      )
      // A change of the key is two events, at one place.
      const changes = collector.events.filter(({ kind, derivedFrom }) => kind !== 'insert' || derivedFrom === null)
      const positions = changes.map(({ position }) => position)
      assert.deepEqual(positions, [...new Set(positions)].toSorted(), 'the positions do not grow')
    },
  }
}

const onlyOneDefault = `
  CREATE FUNCTION public.only_one() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.v = 'default' THEN UPDATE public.t SET v = 'plain' WHERE id <> NEW.id AND v = 'default'; END IF;
      RETURN NEW;
    END $$;
  CREATE TRIGGER only_one BEFORE INSERT OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.only_one();`

/** An AFTER trigger that runs `body` where the row is the first one. */
function afterFirst(body: string): string {
  return `
    CREATE FUNCTION public.follow() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF NEW.id = 1 AND NEW.v = 'a' THEN ${body} END IF; RETURN NULL; END $$;
    CREATE TRIGGER follow AFTER INSERT OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.follow();`
}

/** A BEFORE trigger that makes room for the row by deleting whatever has its key. */
const replaces = `
  CREATE FUNCTION public.replace() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM public.t WHERE id = NEW.id; RETURN NEW; END $$;
  CREATE TRIGGER replace BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.replace();`

const MANY = 5000

/** Law 3: a row's changes keep their order where a statement's triggers and functions write to its own table. */
export const nestedWriteCases: readonly ConformanceCase[] = [
  nested(
    'a BEFORE trigger that changes another row of its statement does not come before that row’s own change',
    { before: onlyOneDefault, sql: `INSERT INTO public.t VALUES (1, 'default'), (2, 'default'), (3, 'default')` },
    { 1: '+default ~plain', 2: '+default ~plain', 3: '+default' },
  ),
  nested(
    'an AFTER trigger that changes another row of its statement does not come before that row’s own change',
    {
      before: afterFirst(`
        UPDATE public.t SET v = v || 'b' WHERE id > 1;
        UPDATE public.t SET v = v || 'c' WHERE id > 1;
        DELETE FROM public.t WHERE id = 3;`),
      sql: `INSERT INTO public.t VALUES (1, 'a'), (2, 'a'), (3, 'a');
            BEGIN; UPDATE public.t SET v = 'a'; UPDATE public.t SET v = 'z' WHERE id = 2; COMMIT`,
    },
    { 1: '+a ~a', 2: '+a ~ab ~abc ~a ~ab ~abc ~z', 3: '+a ~ab ~abc -' },
  ),
  nested(
    'a function that changes the rows that its statement has written comes after each of them',
    {
      before: `CREATE FUNCTION public.bump() RETURNS text LANGUAGE plpgsql VOLATILE AS
                 $$ BEGIN UPDATE public.t SET v = v || '!'; RETURN 'a'; END $$`,
      sql: 'INSERT INTO public.t SELECT i, public.bump() FROM generate_series(1, 3) i',
    },
    { 1: '+a ~a! ~a!!', 2: '+a ~a!', 3: '+a' },
  ),
  nested(
    'what a trigger changed and took back, and a table emptied in between, leave the order as it was',
    {
      before: afterFirst(`
        BEGIN UPDATE public.t SET v = 'undone'; RAISE EXCEPTION 'undo'; EXCEPTION WHEN raise_exception THEN NULL; END;
        UPDATE public.t SET v = 'b' WHERE id = 2;`),
      sql: `BEGIN; TRUNCATE public.t;
            INSERT INTO public.t VALUES (1, 'a'), (2, 'a'); UPDATE public.t SET v = 'c'; TRUNCATE public.t;
            INSERT INTO public.t VALUES (1, 'a'), (2, 'a'); COMMIT`,
    },
    { 1: '+a ~c +a', 2: '+a ~b ~c +a ~b' },
  ),
  nested(
    'a trigger that changes thousands of rows of its statement comes after each of them',
    {
      before: afterFirst(`UPDATE public.t SET v = v || id WHERE id > 1;`),
      sql: `INSERT INTO public.t SELECT i, 'a' FROM generate_series(1, ${MANY}) i`,
    },
    { 1: '+a', 2: '+a ~a2', [MANY]: `+a ~a${MANY}` },
  ),
  nested(
    'a BEFORE trigger that deletes what has the key of a new row comes before it, also where both rows are alike',
    {
      before: `${replaces} INSERT INTO public.t VALUES (1, 'a'), (2, 'a')`,
      sql: `INSERT INTO public.t VALUES (1, 'a'); INSERT INTO public.t VALUES (1, 'a'), (1, 'a'), (3, 'a');
            BEGIN; INSERT INTO public.t VALUES (2, 'b'), (2, 'b'); DELETE FROM public.t WHERE id = 2; COMMIT`,
    },
    { 1: '- +a - +a - +a', 2: '- +b - +b -', 3: '+a' },
  ),
  nested(
    'a function that changes or deletes the row that its statement has just written comes after it',
    {
      before: `
        INSERT INTO public.t VALUES (9, 'a');
        CREATE FUNCTION public.after_all(what int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
          BEGIN UPDATE public.t SET v = v || '!' WHERE id = what; DELETE FROM public.t WHERE id = what AND id > 1; RETURN 1; END $$`,
      sql: `INSERT INTO public.t VALUES (1, 'a'), (2, 'a'), (3, 'a') RETURNING public.after_all(id);
            UPDATE public.t SET v = 'b' WHERE id IN (1, 9) RETURNING public.after_all(id)`,
    },
    { 1: '+a ~a! ~b ~b!', 2: '+a ~a! -', 3: '+a ~a! -', 9: '~b ~b! -' },
  ),
  nested(
    'parts of one statement that reuse a key that another part sets free come after it',
    {
      before: `INSERT INTO public.t VALUES (1, 'a'), (2, 'a'), (3, 'a'), (4, 'a')`,
      sql: `WITH gone AS (DELETE FROM public.t WHERE id = 1 RETURNING *) INSERT INTO public.t SELECT * FROM gone;
            WITH moved AS (UPDATE public.t SET id = 12 WHERE id = 2 RETURNING v) INSERT INTO public.t SELECT 2, v FROM moved;
            INSERT INTO public.t VALUES (3, 'x'), (3, 'y') ON CONFLICT (id) DO UPDATE SET id = excluded.id + 10;
            BEGIN; SAVEPOINT s; DELETE FROM public.t; ROLLBACK TO SAVEPOINT s;
            WITH gone AS (DELETE FROM public.t WHERE id = 4 RETURNING *) INSERT INTO public.t SELECT * FROM gone; COMMIT`,
    },
    { 1: '- +a', 2: '- +a', 12: '+a', 3: '- +y', 13: '+a', 4: '- +a' },
  ),
  nested(
    'a MERGE whose rows are inserted with the keys of those that it deletes, and whose triggers write, too',
    {
      minVersion: 15,
      before: `
        INSERT INTO public.t VALUES (1, 'a'), (2, 'a'), (3, 'a');
        CREATE FUNCTION public.follow() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN IF NEW.v = 'm' THEN UPDATE public.t SET v = 'n' WHERE id IN (3, NEW.id); END IF; RETURN NULL; END $$;
        CREATE TRIGGER follow AFTER INSERT OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.follow();`,
      sql: `MERGE INTO public.t USING (VALUES (1, 'gone'), (2, 'm'), (4, 'm')) AS s (id, v) ON t.id = s.id
            WHEN MATCHED AND s.v = 'gone' THEN DELETE
            WHEN MATCHED THEN UPDATE SET v = s.v
            WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v)`,
    },
    { 1: '-', 2: '~m ~n', 3: '~n ~n', 4: '+m ~n' },
  ),
  nested(
    'a foreign key of a table to itself that cascades, over many levels',
    {
      before: `
        ALTER TABLE public.t ADD parent int REFERENCES public.t ON UPDATE CASCADE ON DELETE CASCADE;
        INSERT INTO public.t SELECT i, 'a', nullif(i - 1, 0) FROM generate_series(1, 9) i`,
      sql: `UPDATE public.t SET id = 20, v = 'b' WHERE id = 2; UPDATE public.t SET id = id + 30 WHERE id IN (5, 6);
            DELETE FROM public.t WHERE id = 7`,
    },
    { 2: '-', 3: '~a', 5: '-', 6: '-', 7: '~a -', 8: '-', 9: '-' },
  ),
  nested(
    'writes that a trigger takes back, again and again, before others that stay',
    {
      before: `
        CREATE FUNCTION public.attempt() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN
            BEGIN INSERT INTO public.t VALUES (NEW.id - 1, 'again'); EXCEPTION WHEN unique_violation THEN NULL; END;
            UPDATE public.t SET v = v || NEW.id WHERE id < NEW.id;
            RETURN NEW;
          END $$;
        CREATE TRIGGER attempt BEFORE INSERT ON public.t FOR EACH ROW WHEN (NEW.v = 'a') EXECUTE FUNCTION public.attempt();`,
      sql: `INSERT INTO public.t VALUES (1, 'c'), (2, 'a'), (3, 'a'), (4, 'a')`,
    },
    { 1: '+c ~c2 ~c23 ~c234', 2: '+a ~a3 ~a34', 3: '+a ~a4', 4: '+a' },
  ),
]
