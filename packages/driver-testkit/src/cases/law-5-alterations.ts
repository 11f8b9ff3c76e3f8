import type { CapabilityName, ListenOptions } from '@rowtap/core'
import { RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import type { ConformanceContext } from '../conformance/conformance-context.ts'
import { fold } from '../tools/fold.ts'
import { assertSameRows, readRows } from '../tools/read-table.ts'
import { eventsSoFar } from '../tools/standard-table.ts'

const NEEDS: readonly CapabilityName[] = [
  'conditions.where',
  'conditions.eq',
  'conditions.gte',
  'operations.insert',
  'operations.update',
  'operations.delete',
  'rows.old',
  'transitions.exact',
]

/** A table whose column `v` has this type. */
async function tableOf(context: ConformanceContext, type: string): Promise<void> {
  await context.database.query(`
    CREATE TABLE public.t (id int PRIMARY KEY, v ${type}, n int);
    ALTER TABLE public.t REPLICA IDENTITY FULL`)
}

/** Everything that a listener without a condition hears of until now. */
async function settle(
  context: ConformanceContext,
  all: Awaited<ReturnType<ConformanceContext['listen']>>,
): Promise<void> {
  await eventsSoFar(context.database, all, 't')
}

const labelsAdded: ConformanceCase = {
  name: 'a condition on an enumeration means the same after labels are added to it, between the others, too',
  law: 5,
  needs: [...NEEDS, 'conditions.in'],
  async run(context) {
    const { database } = context
    await database.query(`CREATE TYPE public.level AS ENUM ('low', 'high')`)
    await tableOf(context, 'public.level')
    await database.query(`ALTER TABLE public.t ADD list public.level[]`)
    const client = await context.connect()
    const all = await context.listen(client, { table: 'public.t' })
    const wanted: readonly (readonly [NonNullable<ListenOptions['where']>, string])[] = [
      [{ v: { gte: 'high' } }, `v >= 'high'`],
      [{ v: { lt: 'high' } }, `v < 'high'`],
      [{ v: { in: ['low'] } }, `v IN ('low')`],
      [{ list: ['low'] }, `list = '{low}'`],
    ]
    const listen = async ([where, sql]: (typeof wanted)[number]) => ({
      collector: await context.listen(client, { table: 'public.t', where }),
      sql,
    })
    const listeners = await Promise.all(wanted.map(listen))
    await database.query(`INSERT INTO public.t VALUES (1, 'low'), (2, 'high'), (3, NULL)`)
    await database.query(`ALTER TYPE public.level ADD VALUE 'middle' BEFORE 'high'`)
    await database.query(`INSERT INTO public.t VALUES (4, 'middle', 0, '{middle}'), (5, 'low', 0, '{low}')`)
    await database.query(`ALTER TYPE public.level ADD VALUE 'top'`)
    await database.query(`UPDATE public.t SET v = 'top' WHERE id IN (1, 4)`)
    await settle(context, all)
    listeners.push(await listen([{ v: { gte: 'middle' } }, `id = 5 AND v >= 'middle'`]))
    await database.query(`UPDATE public.t SET v = 'middle' WHERE id IN (2, 5)`)
    await settle(context, all)
    for (const { collector, sql } of listeners) {
      // The last one did not hear of what was there before it: of what it heard, the row 2 was in its condition already.
      const events = collector.events.filter(({ key }) => !sql.startsWith('id') || key?.['id'] === 5)
      assertSameRows(fold(events), await readRows(database, `SELECT * FROM public.t WHERE ${sql}`), sql)
    }
  },
}

/** Statements after which the labels do not say any more what they did; the last one writes a row, in one transaction with the others. */
const RENAMINGS: Readonly<Record<string, readonly string[]>> = {
  'another name': [`ALTER TYPE public.level RENAME VALUE 'high' TO 'higher'`],
  'each other’s names': [
    `ALTER TYPE public.level RENAME VALUE 'high' TO 'x'`,
    `ALTER TYPE public.level RENAME VALUE 'low' TO 'high'`,
    `ALTER TYPE public.level RENAME VALUE 'x' TO 'low'`,
  ],
}

function labelsRenamed(name: string, statements: readonly string[]): ConformanceCase {
  return {
    name: `a condition on an enumeration whose labels were given ${name} ends with a sentence that says so, before it means another thing`,
    law: 5,
    needs: NEEDS,
    async run(context) {
      const { database } = context
      await database.query(`CREATE TYPE public.level AS ENUM ('low', 'high')`)
      await tableOf(context, 'public.level')
      const all = await context.listen(await context.connect(), { table: 'public.t', where: { n: null } })
      const client = await context.connect({}, 'mayFail')
      const failed = Promise.withResolvers<unknown>()
      client.on('error', failed.resolve)
      const low = await context.listen(client, { table: 'public.t', where: { v: 'low' } })
      await database.query(`INSERT INTO public.t VALUES (1, 'low'), (2, 'high')`)
      await low.count(1, 'the row that is low')
      await database.query(['BEGIN', ...statements, `UPDATE public.t SET id = id + 10`, 'COMMIT'].join('; '))
      assertAltered(await failed.promise, /"v".*level/u)
      assert.equal(low.events.length, 1, 'invented: an event of labels that mean another thing')
      // Whom the labels do not concern goes on, and so does a listener that is started again.
      await settle(context, all)
      assert.equal(all.events.filter(({ key }) => Number(key?.['id']) > 0).length, 6)
      const again = await context.listen(await context.connect(), { table: 'public.t', where: { v: 'low' } })
      await database.query(`INSERT INTO public.t VALUES (3, 'low')`)
      await again.count(1, 'a row that is low now')
    },
  }
}

function assertAltered(error: unknown, message: RegExp): void {
  assert.ok(RowtapError.is(error, 'ERR_SETUP_REQUIRED'), `ERR_SETUP_REQUIRED, not ${String(error)}`)
  assert.match(error.message, /altered/u)
  assert.match(error.message, message)
}

const COLLATE = 'ALTER TABLE public.t ALTER v TYPE text COLLATE'

const collationChanged: ConformanceCase = {
  name: 'a condition on text goes on under another collation where it means the same, and ends with a sentence where only the database can tell',
  law: 5,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await database.query(
      `CREATE COLLATION public.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    )
    await tableOf(context, 'text COLLATE "C"')
    const all = await context.listen(await context.connect(), { table: 'public.t' })
    const listen = async (where: NonNullable<ListenOptions['where']>) => {
      const client = await context.connect({}, 'mayFail')
      const failed = Promise.withResolvers<unknown>()
      client.on('error', failed.resolve)
      return { collector: await context.listen(client, { table: 'public.t', where }), failed: failed.promise }
    }
    const equal = await listen({ v: 'b' })
    const ordered = await listen({ v: { gte: 'b' } })
    const write = (id: number): Promise<unknown> =>
      database.query(`INSERT INTO public.t VALUES (${id}, 'b'), (${id + 1}, 'B'), (${id + 2}, 'c')`)
    await write(1)
    await database.query(`${COLLATE} "POSIX"`)
    await write(11)
    await ordered.collector.count(4, 'two rows before and two after')
    await database.query(`${COLLATE} "und-x-icu"`)
    await write(21)
    assertAltered(await ordered.failed, /collation/u)
    await equal.collector.count(3, 'a row each time')
    await database.query(`${COLLATE} public.caseless`)
    await write(31)
    assertAltered(await equal.failed, /collation/u)
    await settle(context, all)
    const keys = (collector: typeof all): unknown[] => collector.events.map(({ key }) => key?.['id'])
    assert.deepEqual(keys(ordered.collector), [1, 3, 11, 13])
    assert.deepEqual(keys(equal.collector), [1, 11, 21])
  },
}

/** Law 5: what a condition means does not change silently with the types of its columns. */
export const alteredTypeCases: readonly ConformanceCase[] = [
  labelsAdded,
  ...Object.entries(RENAMINGS).map(([name, statements]) => labelsRenamed(name, statements)),
  collationChanged,
]
