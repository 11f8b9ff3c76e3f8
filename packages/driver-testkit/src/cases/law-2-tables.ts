import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { insert, remove, update } from '../tools/expected-events.ts'
import { fold } from '../tools/fold.ts'
import { assertSameRows, readTable } from '../tools/read-table.ts'
import { eventsSoFar, shapesOf, standardTable } from '../tools/standard-table.ts'

const truncate: ConformanceCase = {
  name: 'TRUNCATE of two tables at once is an event of each',
  law: 2,
  needs: ['operations.insert', 'operations.truncate'],
  async run(context) {
    const { database } = context
    await standardTable(database, 'a')
    await standardTable(database, 'b')
    await database.query('INSERT INTO public.a VALUES (1); INSERT INTO public.b VALUES (1)')
    const client = await context.connect()
    const a = await context.listen(client, { table: 'public.a' })
    const b = await context.listen(client, { table: 'public.b' })
    await database.query(
      'BEGIN; INSERT INTO public.a VALUES (2); TRUNCATE public.a, public.b; INSERT INTO public.b VALUES (3); COMMIT',
    )
    await database.query('BEGIN; TRUNCATE public.a; ROLLBACK')
    const truncated = { kind: 'truncate', key: null }
    assert.deepEqual(shapesOf(await eventsSoFar(database, a, 'a')), [insert(2, null), truncated])
    assert.deepEqual(shapesOf(await eventsSoFar(database, b, 'b')), [truncated, insert(3, null)])
    assert.deepEqual([a.events[1]?.schema, a.events[1]?.table], ['public', 'a'])
  },
}

const severalListeners: ConformanceCase = {
  name: 'several listeners, on several tables and on one, each get what they asked for',
  law: 2,
  needs: ['operations.insert', 'operations.update', 'operations.delete'],
  async run(context) {
    const { database } = context
    await standardTable(database, 'a')
    await standardTable(database, 'b')
    const client = await context.connect()
    const all = await context.listen(client, { table: 'public.a' })
    const same = await context.listen(client, { table: { schema: 'public', name: 'a' } })
    const inserts = await context.listen(client, { table: 'a', operations: ['insert'] })
    const deletes = await context.listen(client, { table: 'public.a', operations: ['insert', 'delete'] })
    const other = await context.listen(client, { table: 'public.b' })
    await database.query(`
      INSERT INTO public.a VALUES (1, 'x'); INSERT INTO public.b VALUES (1, 'b');
      UPDATE public.a SET v = 'y'; DELETE FROM public.a; DELETE FROM public.b`)
    const ofA = [insert(1, 'x'), update(1, 'y'), remove(1)]
    assert.deepEqual(shapesOf(await eventsSoFar(database, all, 'a')), ofA)
    assert.deepEqual(shapesOf(await eventsSoFar(database, same, 'a')), ofA, 'a second listener on the same table')
    assert.deepEqual(
      shapesOf(await eventsSoFar(database, inserts, 'a')),
      [insert(1, 'x')],
      'a listener for inserts only',
    )
    assert.deepEqual(
      shapesOf(await eventsSoFar(database, deletes, 'a')),
      [insert(1, 'x'), remove(1)],
      'a listener without updates',
    )
    assert.deepEqual(
      shapesOf(await eventsSoFar(database, other, 'b')),
      [insert(1, 'b'), remove(1)],
      'a listener on another table',
    )
  },
}

const partitions: ConformanceCase = {
  name: 'changes in partitions are delivered as changes of the partitioned table',
  law: 2,
  needs: ['operations.insert', 'operations.update', 'operations.delete'],
  async run(context) {
    const { database } = context
    await database.query(`
      CREATE TABLE public.t (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
      CREATE TABLE public.t_low PARTITION OF public.t FOR VALUES FROM (MINVALUE) TO (100);
      CREATE TABLE public.t_high (v text, gone int, id int NOT NULL PRIMARY KEY);
      ALTER TABLE public.t_high DROP COLUMN gone;
      ALTER TABLE public.t ATTACH PARTITION public.t_high FOR VALUES FROM (100) TO (MAXVALUE)`)
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(`
      INSERT INTO public.t VALUES (1, 'low'), (101, 'high');
      INSERT INTO public.t_high (id, v) VALUES (102, 'direct');
      UPDATE public.t SET v = 'changed' WHERE id = 101;
      UPDATE public.t SET id = 2 WHERE id = 102;
      DELETE FROM public.t_low WHERE id = 1`)
    const events = await eventsSoFar(database, collector, 't')
    assert.deepEqual(
      [...new Set(events.map((event) => event.table))],
      ['t'],
      'every event carries the partitioned table',
    )
    const table = await readTable(database, 'public.t')
    const rows = new Map([...table].filter(([, row]) => Number(row['id']) > 0))
    assertSameRows(fold(events), rows, 'the fold of the partitioned table')
  },
}

/** Law 2: nothing is lost between several tables, several listeners, and the parts of one table. */
export const tableCases: readonly ConformanceCase[] = [truncate, severalListeners, partitions]
