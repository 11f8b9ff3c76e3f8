import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { insert, update } from '../tools/expected-events.ts'
import { eventsSoFar, shapesOf, standardTable } from '../tools/standard-table.ts'

const dropped: ConformanceCase = {
  name: 'what was written to a table before it was dropped is delivered, and other listeners go on',
  law: 2,
  needs: ['operations.insert', 'operations.update'],
  async run(context) {
    const { database } = context
    await standardTable(database, 'gone')
    await standardTable(database, 'full', 'ALTER TABLE public.full REPLICA IDENTITY FULL')
    await standardTable(database, 'other')
    const client = await context.connect()
    const gone = await context.listen(client, { table: 'public.gone' })
    const full = await context.listen(client, { table: 'public.full' })
    const other = await context.listen(client, { table: 'public.other' })
    await database.query(`
      BEGIN; INSERT INTO public.gone VALUES (1); UPDATE public.gone SET v = 'x'; INSERT INTO public.full VALUES (1);
      COMMIT;
      DROP TABLE public.gone, public.full`)
    assert.deepEqual(shapesOf(await eventsSoFar(database, other, 'other')), [])
    assert.deepEqual(shapesOf(await gone.count(2, 'what was written before the table was dropped')), [
      insert(1, null),
      update(1, 'x'),
    ])
    assert.deepEqual(shapesOf(await full.count(1, 'what was written before the table was dropped')), [insert(1, null)])
  },
}

const keyRenamed: ConformanceCase = {
  name: 'what was written before a key column was renamed, and after, is delivered with its key',
  law: 2,
  needs: ['operations.insert', 'operations.update', 'operations.delete'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await standardTable(database, 'full', 'ALTER TABLE public.full REPLICA IDENTITY FULL')
    const client = await context.connect()
    for (const name of ['t', 'full']) {
      const collector = await context.listen(client, { table: `public.${name}` })
      await database.query(`
        BEGIN; INSERT INTO public.${name} VALUES (1); UPDATE public.${name} SET v = 'x'; COMMIT;
        ALTER TABLE public.${name} RENAME COLUMN id TO ident`)
      await database.query(`DELETE FROM public.${name}`)
      const events = await collector.count(3, 'what was written around the change of the name')
      assert.deepEqual(
        events.map(({ kind, key }) => [kind, Object.values(key ?? {})]),
        [
          ['insert', [1]],
          ['update', [1]],
          ['delete', [1]],
        ],
      )
      assert.deepEqual(events[2]?.key, { ident: 1 })
    }
  },
}

const renamed: ConformanceCase = {
  name: 'a table that is renamed is captured on, under the name that was asked for',
  law: 2,
  needs: ['operations.insert', 'operations.update'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(`
      INSERT INTO public.t VALUES (1);
      ALTER TABLE public.t RENAME TO other;
      INSERT INTO public.other VALUES (2);
      CREATE SCHEMA elsewhere; ALTER TABLE public.other SET SCHEMA elsewhere`)
    await database.query(`UPDATE elsewhere.other SET v = 'x' WHERE id = 1`)
    const events = await collector.count(3, 'what was written before and after the table was renamed')
    assert.deepEqual(shapesOf(events), [insert(1, null), insert(2, null), update(1, 'x')])
    for (const { schema, table } of events) assert.deepEqual({ schema, table }, { schema: 'public', table: 't' })
  },
}

/** Law 2: nothing is lost where a captured table is changed. */
export const alterationCases: readonly ConformanceCase[] = [dropped, keyRenamed, renamed]
