import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import type { ConformanceContext } from '../conformance/conformance-context.ts'
import { hostileWriter } from '../tools/hostile-session.ts'
import { assertSameRow, readTable } from '../tools/read-table.ts'
import { eventsSoFar } from '../tools/standard-table.ts'
import { createSamples, insertSamples, isBuiltIn } from './sample-table.ts'
import type { TypeFamily } from './type-samples.ts'
import { TYPE_FAMILIES } from './type-samples.ts'

const TABLE = 'public.samples'

/** The rows of one family of types, written by a hostile session, against what `pg` selects. */
function identityOf(family: TypeFamily): ConformanceCase {
  return {
    name: `${family.name} are what pg returns, whatever the writer's settings`,
    law: 1,
    needs: ['operations.insert'],
    run: (context) => compareSamples(context, family),
  }
}

async function compareSamples(context: ConformanceContext, family: TypeFamily): Promise<void> {
  const { database } = context
  if (!(await isBuiltIn(database, family))) return
  await createSamples(database, family)
  const collector = await context.listen(await context.connect(), { table: TABLE })
  const writer = await hostileWriter(database)

  await insertSamples(writer, family)
  const inserted = [...(await readTable(database, TABLE)).values()]
  const inserts = await collector.count(inserted.length, 'a row for each sample')
  for (const [index, row] of inserted.entries()) assertSameRow(inserts[index]?.new, row, `sample ${index}`)
  if (!context.declares('operations.update', 'operations.delete', 'rows.old')) return

  // Every old row is whole: the table's replica identity is full.
  collector.clear()
  await writer.query(`UPDATE ${TABLE} SET note = id`)
  const updated = [...(await readTable(database, TABLE)).values()]
  const updates = await collector.count(updated.length, 'an update of each sample')
  for (const [index, row] of updated.entries()) {
    assertSameRow(updates[index]?.new, row, `sample ${index} after an update`)
    assertSameRow(updates[index]?.old, inserted[index] ?? {}, `sample ${index} before an update`)
    assert.deepEqual(updates[index]?.changed, ['note'], `sample ${index}: the changed columns`)
  }

  collector.clear()
  await writer.query(`DELETE FROM ${TABLE}`)
  const deletes = await collector.count(updated.length, 'a delete of each sample')
  for (const [index, row] of updated.entries()) assertSameRow(deletes[index]?.old, row, `sample ${index} when deleted`)
}

const generatedColumns: ConformanceCase = {
  name: 'a stored generated column is what pg returns, or is named as unavailable',
  law: 1,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await database.query('CREATE TABLE public.t (id int PRIMARY KEY, doubled int GENERATED ALWAYS AS (id * 2) STORED)')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query('INSERT INTO public.t VALUES (21)')
    const [event] = await collector.count(1, 'the insert')
    const expected = event?.unavailable.includes('doubled') === true ? { id: 21 } : { id: 21, doubled: 42 }
    assert.deepEqual(event?.new, expected, 'the generated column is neither right nor named in `unavailable`')
  },
}

const changedShape: ConformanceCase = {
  name: 'rows have the columns that the table had when they were written, after ALTER TABLE, too',
  law: 1,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await database.query('CREATE TABLE public.t (id int PRIMARY KEY, dropped text, v int)')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(`INSERT INTO public.t (id, dropped, v) VALUES (1, 'x', 10)`)
    await database.query('ALTER TABLE public.t DROP COLUMN dropped, ADD COLUMN added text')
    await database.query(`INSERT INTO public.t (id, v, added) VALUES (2, 20, 'y')`)
    await database.query('ALTER TABLE public.t ALTER COLUMN v TYPE text')
    await database.query('ALTER TABLE public.t RENAME COLUMN added TO renamed')
    await database.query(`INSERT INTO public.t (id, v, renamed) VALUES (3, 'thirty', 'z')`)
    const events = await collector.count(3, 'the inserts around ALTER TABLE')
    assert.deepEqual(
      events.map((event) => event.new),
      [
        { id: 1, dropped: 'x', v: 10 },
        { id: 2, v: 20, added: 'y' },
        { id: 3, v: 'thirty', renamed: 'z' },
      ],
    )
  },
}

const largeValues: ConformanceCase = {
  name: 'an unchanged large value is what pg returns, or is named as unavailable and absent',
  law: 1,
  needs: ['operations.insert', 'operations.update'],
  proves: ['rows.unchangedLargeValues'],
  async run(context) {
    const { database } = context
    await database.query('CREATE TABLE public.t (id int PRIMARY KEY, n int, large text)')
    await database.query('ALTER TABLE public.t ALTER COLUMN large SET STORAGE EXTERNAL')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(`INSERT INTO public.t VALUES (1, 1, repeat('0123456789', 2000))`)
    await database.query('UPDATE public.t SET n = 2')
    const events = await eventsSoFar(database, collector, 't')
    const large = '0123456789'.repeat(2000)
    const update = events[1]
    assert.equal(update?.kind, 'update')
    if (context.declares('rows.unchangedLargeValues')) {
      assert.deepEqual(
        [update?.new, update?.unavailable],
        [{ id: 1, n: 2, large }, []],
        'the manifest promises unchanged large values',
      )
    } else {
      assert.deepEqual(
        [update?.new, update?.unavailable],
        [{ id: 1, n: 2 }, ['large']],
        'a value that was not sent is absent, and named',
      )
    }
  },
}

/** Law 1, identity: a row in an event deep-equals what `pg` returns for it. */
export const identityCases: readonly ConformanceCase[] = [
  ...TYPE_FAMILIES.map(identityOf),
  generatedColumns,
  changedShape,
  largeValues,
]
