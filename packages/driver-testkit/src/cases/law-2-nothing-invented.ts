import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { eventsSoFar, shapesOf, standardTable } from '../tools/standard-table.ts'

const rolledBack: ConformanceCase = {
  name: 'a transaction that is rolled back delivers nothing',
  law: 2,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const writer = await database.connect()
    await writer.query(`BEGIN; INSERT INTO public.t SELECT i, 'rolled back' FROM generate_series(1, 50) i`)
    await writer.query('ROLLBACK')
    await assert.rejects(writer.query(`INSERT INTO public.t VALUES (1, 'fails'), (1, 'twice')`), /duplicate key/u)
    const ended = await database.connect()
    await ended.query(`BEGIN; INSERT INTO public.t VALUES (1, 'connection ended')`)
    await ended.end()
    const events = await eventsSoFar(database, collector, 't')
    assert.deepEqual(shapesOf(events), [], 'invented: rows that were never committed')
  },
}

const savepoints: ConformanceCase = {
  name: 'a savepoint that is rolled back delivers nothing, and its transaction everything else',
  law: 2,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(`
      BEGIN;
      INSERT INTO public.t VALUES (1);
      SAVEPOINT a;
      INSERT INTO public.t VALUES (2);
      SAVEPOINT b;
      INSERT INTO public.t VALUES (3);
      RELEASE b;
      ROLLBACK TO a;
      INSERT INTO public.t VALUES (4);
      SAVEPOINT c;
      INSERT INTO public.t VALUES (5);
      RELEASE c;
      COMMIT;
      DO $$ BEGIN
        INSERT INTO public.t VALUES (6);
        BEGIN INSERT INTO public.t VALUES (7); RAISE 'undone'; EXCEPTION WHEN OTHERS THEN NULL; END;
        INSERT INTO public.t VALUES (8);
      END $$`)
    const events = await eventsSoFar(database, collector, 't')
    const ids = events.map((event) => event.new?.['id'])
    assert.deepEqual(ids, [1, 4, 5, 6, 8], 'lost or invented: the rows are not those that were committed')
    const transactions = events.map((event) => event.transaction.id)
    assert.equal(new Set(transactions.slice(0, 3)).size, 1, 'a savepoint’s changes belong to its transaction')
  },
}

const otherTables: ConformanceCase = {
  name: 'tables that nobody listens to, and tables of the same name elsewhere, deliver nothing',
  law: 2,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await database.query(
      'CREATE SCHEMA other; CREATE TABLE other.t (id int PRIMARY KEY, v text); CREATE TABLE public."T" (id int PRIMARY KEY)',
    )
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(
      'INSERT INTO other.t VALUES (1); INSERT INTO public."T" VALUES (2); INSERT INTO public.t VALUES (3)',
    )
    assert.deepEqual(
      (await eventsSoFar(database, collector, 't')).map((event) => [event.schema, event.table, event.new?.['id']]),
      [['public', 't', 3]],
    )
  },
}

const identifiers: ConformanceCase = {
  name: 'every event has an id of its own, a position that grows, and its transaction',
  law: 2,
  needs: ['operations.insert', 'operations.update', 'operations.delete', 'keys.change'],
  proves: ['transactions.id', 'transactions.commitTime'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const before = new Date(Date.now() - 1000)
    for (let id = 1; id <= 10; id += 1) {
      await database.query(
        `BEGIN; INSERT INTO public.t VALUES (${id}, 'a'), (${id + 100}, 'b'); UPDATE public.t SET v = 'c' WHERE id = ${id}; UPDATE public.t SET id = ${id + 1000} WHERE id = ${id}; DELETE FROM public.t WHERE id = ${id + 100}; COMMIT`,
      )
    }
    const events = await eventsSoFar(database, collector, 't')
    assert.equal(events.length, 60, 'duplicated or lost: ten transactions with six events each')
    assert.equal(new Set(events.map((event) => event.id)).size, 60, 'duplicated: two events have the same id')
    for (const [index, event] of events.entries()) {
      const last = events[index - 1]
      assert.ok(
        last === undefined || event.position >= last.position,
        `the position of event ${index} is before that of the one before`,
      )
    }
    const transactions = new Set(events.map((event) => event.transaction.id))
    if (context.declares('transactions.id')) assert.equal(transactions.size, 10, 'ten transactions have ten ids')
    const after = new Date(Date.now() + 1000)
    for (const { transaction } of events) {
      const { commitTime } = transaction
      if (commitTime === null)
        assert.ok(!context.declares('transactions.commitTime'), 'the manifest promises a commit time')
      else
        assert.ok(commitTime >= before && commitTime <= after, `${commitTime.toISOString()} is not when it committed`)
    }
  },
}

/** Law 2: what did not happen is not told. */
export const nothingInventedCases: readonly ConformanceCase[] = [rolledBack, savepoints, otherTables, identifiers]
