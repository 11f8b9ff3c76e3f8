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
  options: { readonly before: string; readonly sql: string },
  histories: Readonly<Record<number, string>>,
): ConformanceCase {
  return {
    name,
    law: 3,
    needs: ['operations.insert', 'operations.update', 'operations.delete', 'order.row'],
    async run(context) {
      const { database } = context
      await standardTable(database, 't', options.before)
      const start = await database.query('SELECT id, v FROM public.t')
      const collector = await context.listen(await context.connect(), { table: 'public.t' })
      await database.query(options.sql)
      const events = await eventsSoFar(database, collector, 't')
      for (const [id, history] of Object.entries(histories)) {
        assert.equal(historyOf(events, Number(id)), history, `reordered: the changes of row ${id}`)
      }
      const rows = await database.query('SELECT id, v FROM public.t WHERE id > 0 ORDER BY id')
      const folded = [...fold(events, { start }).values()]
      assert.deepEqual(
        folded.toSorted((one, other) => Number(one['id']) - Number(other['id'])),
        rows,
        'reordered: the events do not add up to the table',
      )
      const positions = collector.events.map(({ position }) => position)
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
]
