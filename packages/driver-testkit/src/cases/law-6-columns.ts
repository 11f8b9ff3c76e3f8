import { RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import type { ConformanceContext } from '../conformance/conformance-context.ts'

async function wideTable(context: ConformanceContext, identity: 'FULL' | 'DEFAULT'): Promise<void> {
  await context.database.query(`CREATE TABLE public.t (id int PRIMARY KEY, a text, b text, c int)`)
  await context.database.query(`ALTER TABLE public.t REPLICA IDENTITY ${identity}`)
}

const projection: ConformanceCase = {
  name: 'with columns, rows hold those and nothing else, and the key is there all the same',
  law: 6,
  needs: ['operations.insert', 'operations.update', 'operations.delete', 'columns.projection', 'rows.old'],
  async run(context) {
    const { database } = context
    await wideTable(context, 'FULL')
    const collector = await context.listen(await context.connect(), { table: 'public.t', columns: ['b', 'a'] })
    await database.query(
      `INSERT INTO public.t VALUES (1, 'a', 'b', 1); UPDATE public.t SET a = 'A'; DELETE FROM public.t`,
    )
    const events = await collector.count(3, 'an insert, an update and a delete')
    assert.deepEqual(
      events.map((event) => [event.kind, event.key, event.new, event.old]),
      [
        ['insert', { id: 1 }, { a: 'a', b: 'b' }, null],
        ['update', { id: 1 }, { a: 'A', b: 'b' }, { a: 'a', b: 'b' }],
        ['delete', { id: 1 }, null, { a: 'A', b: 'b' }],
      ],
    )
  },
}

const onlyChanged: ConformanceCase = {
  name: 'with columns, an update that changes none of them is not delivered',
  law: 6,
  needs: ['operations.insert', 'operations.update', 'columns.projection', 'columns.onlyChanged', 'rows.old'],
  async run(context) {
    const { database } = context
    await wideTable(context, 'FULL')
    const client = await context.connect()
    const some = await context.listen(client, { table: 'public.t', columns: ['id', 'a'] })
    const all = await context.listen(client, { table: 'public.t' })
    await database.query(`
      INSERT INTO public.t VALUES (1, 'a', 'b', 1), (2, NULL, NULL, NULL);
      UPDATE public.t SET b = 'other';
      UPDATE public.t SET a = a, c = 7;
      UPDATE public.t SET a = 'changed' WHERE id = 2;
      UPDATE public.t SET a = NULL WHERE id = 1;
      INSERT INTO public.t VALUES (3, 'last', NULL, NULL)`)
    await some.until((event) => event.key?.['id'] === 3, 'the last insert')
    await all.until((event) => event.key?.['id'] === 3, 'the last insert')
    assert.deepEqual(
      some.events.map((event) => [event.kind, event.key?.['id'], event.changed]),
      [
        ['insert', 1, null],
        ['insert', 2, null],
        ['update', 2, ['a']],
        ['update', 1, ['a']],
        ['insert', 3, null],
      ],
      'an update of other columns was delivered, or one of these was not',
    )
    assert.equal(all.events.length, 9, 'a listener for all columns has every update')
  },
}

const identityNeeded: ConformanceCase = {
  name: 'columns without old rows either work, or are refused with the statement that would enable them',
  law: 6,
  needs: ['operations.insert', 'operations.update', 'columns.projection', 'columns.onlyChanged'],
  proves: ['rows.oldWithoutSetup'],
  async run(context) {
    const { database } = context
    await wideTable(context, 'DEFAULT')
    const client = await context.connect()
    if (context.declares('rows.oldWithoutSetup')) {
      const collector = await context.listen(client, { table: 'public.t', columns: ['a'] })
      await database.query(
        `INSERT INTO public.t VALUES (1, 'a'); UPDATE public.t SET b = 'x'; UPDATE public.t SET a = 'x'`,
      )
      const events = await collector.count(2, 'an insert and an update')
      assert.deepEqual(events[1]?.changed, ['a'])
      return
    }
    await assert.rejects(context.listen(client, { table: 'public.t', columns: ['a'] }), (error) => {
      assert.ok(
        RowtapError.is(error, 'ERR_SETUP_REQUIRED'),
        `refused with ERR_SETUP_REQUIRED, not with ${String(error)}`,
      )
      assert.match(error.message, /ALTER TABLE .*REPLICA IDENTITY FULL/u)
      return true
    })
    const [row] = await database.query(`SELECT relreplident FROM pg_class WHERE oid = 'public.t'::regclass`)
    assert.equal(row?.['relreplident'], 'd', 'the replica identity is not changed unasked')
  },
}

/** Law 6: columns. */
export const columnCases: readonly ConformanceCase[] = [projection, onlyChanged, identityNeeded]
