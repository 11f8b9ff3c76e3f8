import { RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { fold } from '../tools/fold.ts'
import { assertSameRows, readTable } from '../tools/read-table.ts'

const NEEDS = ['operations.insert', 'operations.update', 'operations.delete', 'keys.change'] as const

const keyChange: ConformanceCase = {
  name: 'a change of the key is a delete of the old key and an insert of the new one, with ids of their own',
  law: 7,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await database.query('CREATE TABLE public.t (id int PRIMARY KEY, v text)')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(`INSERT INTO public.t VALUES (1, 'x')`)
    await database.query(`UPDATE public.t SET id = 2, v = 'y'`)
    const [, gone, come] = await collector.count(3, 'an insert, and the two halves of the key change')
    assert.deepEqual([gone?.kind, gone?.key, gone?.derivedFrom], ['delete', { id: 1 }, 'update'])
    assert.deepEqual(
      [come?.kind, come?.key, come?.derivedFrom, come?.new],
      ['insert', { id: 2 }, 'update', { id: 2, v: 'y' }],
    )
    assert.notEqual(gone?.id, come?.id, 'two events never have the same id')
    assert.equal(gone?.transaction.id, come?.transaction.id)
  },
}

const compositeKey: ConformanceCase = {
  name: 'a key of several columns has all of them, in a change of one of them, too',
  law: 7,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await database.query('CREATE TABLE public.t (v text, b text, a int, PRIMARY KEY (a, b))')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(
      `INSERT INTO public.t VALUES ('x', 'b', 1); UPDATE public.t SET v = 'y'; UPDATE public.t SET b = 'B'; DELETE FROM public.t`,
    )
    const events = await collector.count(5, 'an insert, an update, a key change and a delete')
    assert.deepEqual(
      events.map((event) => [event.kind, event.key]),
      [
        ['insert', { a: 1, b: 'b' }],
        ['update', { a: 1, b: 'b' }],
        ['delete', { a: 1, b: 'b' }],
        ['insert', { a: 1, b: 'B' }],
        ['delete', { a: 1, b: 'B' }],
      ],
    )
  },
}

const swap: ConformanceCase = {
  name: 'two rows that swap their keys in one transaction are both there afterwards',
  law: 7,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await database.query('CREATE TABLE public.t (id int PRIMARY KEY, v text)')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(`INSERT INTO public.t VALUES (1, 'one'), (2, 'two')`)
    await database.query(
      'BEGIN; UPDATE public.t SET id = 0 WHERE id = 1; UPDATE public.t SET id = 1 WHERE id = 2; UPDATE public.t SET id = 2 WHERE id = 0; COMMIT',
    )
    const events = await collector.count(8, 'two inserts and three key changes')
    assertSameRows(fold(events), await readTable(database, 'public.t'), 'the fold of the swap')
  },
}

const declaredKey: ConformanceCase = {
  name: 'a declared key is the one that events have, and a change of it is a delete and an insert',
  law: 7,
  needs: [...NEEDS, 'keys.declared', 'rows.old'],
  async run(context) {
    const { database } = context
    await database.query('CREATE TABLE public.t (id int PRIMARY KEY, code text NOT NULL, v text)')
    await database.query('ALTER TABLE public.t REPLICA IDENTITY FULL')
    const collector = await context.listen(await context.connect(), { table: 'public.t', key: ['code'] })
    await database.query(`
      INSERT INTO public.t VALUES (1, 'a', 'x');
      UPDATE public.t SET id = 2;
      UPDATE public.t SET code = 'b';
      DELETE FROM public.t`)
    const events = await collector.count(5, 'an insert, an update, a key change and a delete')
    assert.deepEqual(
      events.map((event) => [event.kind, event.key, event.derivedFrom]),
      [
        ['insert', { code: 'a' }, null],
        ['update', { code: 'a' }, null],
        ['delete', { code: 'a' }, 'update'],
        ['insert', { code: 'b' }, 'update'],
        ['delete', { code: 'b' }, null],
      ],
    )
  },
}

const deferrableKey: ConformanceCase = {
  name: 'rows that pass each other under a deferrable key fold right, or the table is refused',
  law: 7,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await database.query('CREATE TABLE public.t (id int PRIMARY KEY DEFERRABLE, v text)')
    await database.query('ALTER TABLE public.t REPLICA IDENTITY FULL')
    const client = await context.connect()
    let collector
    try {
      collector = await context.listen(client, { table: 'public.t' })
    } catch (error) {
      if (!RowtapError.is(error, 'ERR_SETUP_REQUIRED')) throw error
      return
    }
    await database.query(`INSERT INTO public.t SELECT i, 'row ' || i FROM generate_series(1, 3) i`)
    // For a moment each row but the last has the key of the next one.
    await database.query('UPDATE public.t SET id = id + 1')
    const events = await collector.count(9, 'three inserts and three key changes')
    const key = Object.keys(events[0]?.key ?? {})
    assertSameRows(
      fold(events),
      await readTable(database, 'public.t', key),
      `the fold of id = id + 1 by the key (${key.join(', ')})`,
    )
  },
}

/** Law 7: keys. */
export const keyCases: readonly ConformanceCase[] = [keyChange, compositeKey, swap, declaredKey, deferrableKey]
