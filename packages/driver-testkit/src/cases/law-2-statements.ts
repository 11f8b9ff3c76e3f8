import assert from 'node:assert/strict'
import type { Client } from 'pg'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { copyIn } from '../tools/copy-in.ts'
import { insert, remove, update } from '../tools/expected-events.ts'
import { eventsSoFar, shapesOf, standardTable } from '../tools/standard-table.ts'

interface StatementsOptions {
  readonly before?: string
  readonly sql: string
  readonly minVersion?: number
  /** Whether the order among different rows is left to the driver. Default: no. */
  readonly inAnyOrder?: boolean
}

function byKey(rows: readonly object[]): readonly object[] {
  return rows.toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)))
}

/** A case that runs statements against `public.t (id, v)` and knows the events that they are. */
function statements(name: string, options: StatementsOptions, expected: readonly object[]): ConformanceCase {
  return {
    name,
    law: 2,
    needs: ['operations.insert', 'operations.update', 'operations.delete'],
    ...(options.minVersion === undefined ? {} : { minVersion: options.minVersion }),
    async run(context) {
      const { database } = context
      await standardTable(database, 't', options.before)
      const collector = await context.listen(await context.connect(), { table: 'public.t' })
      await database.query(options.sql)
      const events = await eventsSoFar(database, collector, 't')
      const sorted = options.inAnyOrder === true ? byKey : (rows: readonly object[]) => rows
      assert.deepEqual(sorted(shapesOf(events)), sorted(expected), 'lost or invented: the events are not the changes')
    },
  }
}

const copy: ConformanceCase = {
  name: 'COPY delivers each row',
  law: 2,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const writer: Client = await database.connect()
    await copyIn(writer, 'COPY public.t FROM STDIN', '1\tone\n2\t\\N\n3\t\n')
    const events = await eventsSoFar(database, collector, 't')
    assert.deepEqual(shapesOf(events), [insert(1, 'one'), insert(2, null), insert(3, '')])
  },
}

/** Law 2: each statement's changes are delivered, once. */
export const statementCases: readonly ConformanceCase[] = [
  statements(
    'statements that change many rows deliver each row',
    {
      sql: `INSERT INTO public.t VALUES (1, 'a'), (2, 'b'), (3, NULL);
            UPDATE public.t SET v = id::text WHERE id < 3;
            WITH gone AS (DELETE FROM public.t WHERE id = 1 RETURNING *) INSERT INTO public.t SELECT id + 10, v FROM gone;
            DELETE FROM public.t WHERE id = 3`,
    },
    [
      insert(1, 'a'),
      insert(2, 'b'),
      insert(3, null),
      update(1, '1'),
      update(2, '2'),
      remove(1),
      insert(11, '1'),
      remove(3),
    ],
  ),
  statements(
    'ON CONFLICT delivers what it did: an insert, an update, or nothing',
    {
      before: `INSERT INTO public.t VALUES (1, 'old')`,
      sql: `INSERT INTO public.t VALUES (1, 'new') ON CONFLICT (id) DO UPDATE SET v = excluded.v;
            INSERT INTO public.t VALUES (2, 'new') ON CONFLICT (id) DO UPDATE SET v = excluded.v;
            INSERT INTO public.t VALUES (2, 'ignored') ON CONFLICT DO NOTHING;
            INSERT INTO public.t VALUES (2, 'ignored') ON CONFLICT (id) DO UPDATE SET v = excluded.v WHERE false`,
    },
    [update(1, 'new'), insert(2, 'new')],
  ),
  statements(
    'MERGE delivers what it did',
    {
      minVersion: 15,
      inAnyOrder: true,
      before: `INSERT INTO public.t VALUES (1, 'one'), (2, 'two'), (3, 'three')`,
      sql: `MERGE INTO public.t USING (VALUES (1, 'x'), (3, NULL), (4, 'four')) AS s (id, v) ON t.id = s.id
            WHEN MATCHED AND s.v IS NULL THEN DELETE
            WHEN MATCHED THEN UPDATE SET v = s.v
            WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v)`,
    },
    [update(1, 'x'), remove(3), insert(4, 'four')],
  ),
  statements(
    'an update without effect is an update, and a statement that finds no row is nothing',
    {
      before: `INSERT INTO public.t VALUES (1, 'same')`,
      sql: `UPDATE public.t SET v = 'same'; UPDATE public.t SET v = 'x' WHERE id = 99; DELETE FROM public.t WHERE id = 99`,
    },
    [update(1, 'same')],
  ),
  statements(
    'several changes of one row in one transaction are all delivered, in order',
    {
      sql: `BEGIN; INSERT INTO public.t VALUES (1, 'a'); UPDATE public.t SET v = 'b'; UPDATE public.t SET v = 'b'; DELETE FROM public.t; INSERT INTO public.t VALUES (1, 'c'); COMMIT`,
    },
    [insert(1, 'a'), update(1, 'b'), update(1, 'b'), remove(1), insert(1, 'c')],
  ),
  statements(
    'what foreign keys cascade, and what the user’s own triggers write, is delivered',
    {
      before: `
        CREATE TABLE public.root (v text PRIMARY KEY);
        INSERT INTO public.root VALUES ('A'), ('B'), ('QUIET');
        INSERT INTO public.t VALUES (1, 'A'), (2, 'B');
        ALTER TABLE public.t ADD CONSTRAINT of_root FOREIGN KEY (v) REFERENCES public.root ON DELETE CASCADE ON UPDATE CASCADE;
        CREATE FUNCTION public.louder() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v := upper(NEW.v); RETURN NEW; END $$;
        CREATE TRIGGER louder BEFORE INSERT OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.louder();`,
      sql: `INSERT INTO public.t VALUES (3, 'quiet');
            DELETE FROM public.root WHERE v = 'A';
            UPDATE public.root SET v = 'C' WHERE v = 'B'`,
    },
    [insert(3, 'QUIET'), remove(1), update(2, 'C')],
  ),
  statements(
    'a user’s AFTER trigger that writes to its own table is delivered in the order of the writes to each row',
    {
      before: `
        CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN IF NEW.v = 'first' THEN UPDATE public.t SET v = 'second' WHERE id = NEW.id; END IF; RETURN NULL; END $$;
        CREATE TRIGGER a_before_all_others AFTER INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.again();`,
      sql: `INSERT INTO public.t VALUES (1, 'first')`,
    },
    [insert(1, 'first'), update(1, 'second')],
  ),
  copy,
]
