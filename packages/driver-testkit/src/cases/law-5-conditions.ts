import type { CapabilityName, ListenOptions } from '@rowtap/core'
import { RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { fold } from '../tools/fold.ts'
import { createWorkloadTable, runWorkload, WORKLOAD_TABLE } from '../tools/random-workload.ts'
import { assertSameRows, readRows } from '../tools/read-table.ts'
import { eventsSoFar } from '../tools/standard-table.ts'

const ROW_CHANGES: readonly CapabilityName[] = [
  'conditions.where',
  'operations.insert',
  'operations.update',
  'operations.delete',
]

const crossing: ConformanceCase = {
  name: 'an update into the condition is an insert, out of it a delete, inside it an update, outside it nothing; NULL is not true',
  law: 5,
  needs: [...ROW_CHANGES, 'conditions.gte', 'rows.old', 'transitions.exact'],
  async run(context) {
    const { database } = context
    await database.query(
      `CREATE TABLE public.t (id int PRIMARY KEY, n int); ALTER TABLE public.t REPLICA IDENTITY FULL`,
    )
    const collector = await context.listen(await context.connect(), {
      table: 'public.t',
      where: { or: [{ n: { gte: 10 } }, { id: { lt: 0 } }] },
    })
    for (const statement of [
      `INSERT INTO public.t VALUES (1, 1), (2, 10), (3, NULL)`,
      `UPDATE public.t SET n = 20 WHERE id = 1`,
      `UPDATE public.t SET n = 21 WHERE id = 1`,
      `UPDATE public.t SET n = n WHERE id = 1`,
      `UPDATE public.t SET n = NULL WHERE id = 2`,
      `UPDATE public.t SET n = 5 WHERE id = 2`,
      `UPDATE public.t SET n = 6 WHERE id = 3`,
      `UPDATE public.t SET id = 4 WHERE id = 1`,
      `UPDATE public.t SET id = 5, n = 30 WHERE id = 2`,
      `UPDATE public.t SET id = 6, n = 0 WHERE id = 5`,
      `DELETE FROM public.t WHERE id IN (3, 4)`,
    ]) {
      await database.query(statement)
    }
    const events = await eventsSoFar(database, collector, 't')
    assert.deepEqual(
      events.map((event) => [event.kind, event.key?.['id'], event.new?.['n'], event.old?.['n'], event.derivedFrom]),
      [
        ['insert', 2, 10, undefined, null],
        ['insert', 1, 20, undefined, 'update'],
        ['update', 1, 21, 20, null],
        ['update', 1, 21, 21, null],
        ['delete', 2, undefined, 10, 'update'],
        ['delete', 1, undefined, 21, 'update'],
        ['insert', 4, 21, undefined, 'update'],
        ['insert', 5, 30, undefined, 'update'],
        ['delete', 5, undefined, 30, 'update'],
        ['delete', 4, undefined, 21, null],
      ],
    )
  },
}

const idempotent: ConformanceCase = {
  name: `without old rows a condition works exactly, or is refused with the statement that helps, and works with transitions 'idempotent'`,
  law: 5,
  needs: [...ROW_CHANGES, 'conditions.gte', 'transitions.idempotent'],
  proves: ['rows.oldWithoutSetup', 'transitions.exact'],
  async run(context) {
    const { database } = context
    await database.query(`CREATE TABLE public.t (id int PRIMARY KEY, n int)`)
    const client = await context.connect()
    const exact: ListenOptions = { table: 'public.t', where: { n: { gte: 10 } } }
    if (!context.declares('rows.oldWithoutSetup')) {
      await assert.rejects(context.listen(client, exact), (error) => {
        assert.ok(RowtapError.is(error, 'ERR_SETUP_REQUIRED'), `ERR_SETUP_REQUIRED, not ${String(error)}`)
        assert.match(error.message, /ALTER TABLE .*REPLICA IDENTITY FULL/u)
        return true
      })
    }
    const collector = await context.listen(client, { ...exact, transitions: 'idempotent' })
    const all = await context.listen(client, { table: 'public.t' })
    await database.query(`INSERT INTO public.t SELECT i, i FROM generate_series(1, 20) AS i`)
    await database.query(`UPDATE public.t SET n = n + 5 WHERE id BETWEEN 3 AND 8`)
    await database.query(`UPDATE public.t SET n = n - 7 WHERE id > 12`)
    await database.query(`UPDATE public.t SET id = id + 100 WHERE id % 4 = 0`)
    await database.query(`DELETE FROM public.t WHERE id % 3 = 0`)
    await eventsSoFar(database, all, 't')
    const selected = await readRows(database, `SELECT * FROM public.t WHERE n >= 10`)
    const folded = (): ReturnType<typeof fold> => fold(collector.events, { strict: false })
    await context.eventually(() => folded().size === selected.size, 'as many rows as are selected')
    assertSameRows(folded(), selected, 'the fold of the idempotent listener')
  },
}

/** Conditions of the random workload, in the object form and in SQL. */
const WORKLOAD_CONDITIONS: readonly (readonly [NonNullable<ListenOptions['where']>, string])[] = [
  [{ owner: 'many' }, `owner = 'many'`],
  [{ owner: null }, `owner IS NULL`],
  [{ note: { like: 'r%' } }, `note LIKE 'r%'`],
  [{ balance: { gt: 20 } }, `balance > 20`],
  [{ balance: { between: ['0.5', 40] }, note: { isNull: false } }, `balance BETWEEN 0.5 AND 40 AND note IS NOT NULL`],
  [{ id: { lt: 30 } }, `id < 30`],
  [{ id: { in: [1, 2, 3, 5, 8, 13, 21, 34, 55, 1001] } }, `id IN (1, 2, 3, 5, 8, 13, 21, 34, 55, 1001)`],
  [{ not: { or: [{ owner: 'many' }, { balance: 0 }] } }, `NOT (owner = 'many' OR balance = 0)`],
  [
    { or: [{ note: 'range' }, { owner: { notIn: ['many', 'owner 7'] } }] },
    `note = 'range' OR owner NOT IN ('many', 'owner 7')`,
  ],
  [
    { changed_at: { gt: '2024-01-01' }, owner: { isDistinctFrom: 'many' } },
    `changed_at > '2024-01-01' AND owner IS DISTINCT FROM 'many'`,
  ],
]

const workload: ConformanceCase = {
  name: 'the folds of many listeners with conditions and columns are their SELECTs, under a random concurrent workload',
  law: 5,
  needs: [...ROW_CHANGES, 'rows.old', 'keys.change', 'columns.projection', 'transitions.exact'],
  timeoutMs: 120_000,
  async run(context) {
    const { database, sizes } = context
    await createWorkloadTable(database, 'FULL')
    const client = await context.connect()
    const all = await context.listen(client, { table: WORKLOAD_TABLE })
    const listeners = await Promise.all(
      WORKLOAD_CONDITIONS.flatMap(([where, sql]) =>
        [
          ['id', 'owner', 'balance', 'note', 'changed_at'],
          ['id', 'note'],
          ['id', 'balance', 'owner'],
        ].map(async (columns) => {
          const collector = await context.listen(client, { table: WORKLOAD_TABLE, where, columns })
          return { collector, columns, sql }
        }),
      ),
    )
    await runWorkload({
      database,
      seed: sizes.seed + 5,
      transactions: sizes.transactions,
      truncate: context.declares('operations.truncate'),
    })
    await database.query(`INSERT INTO ${WORKLOAD_TABLE} (id) VALUES (1000000)`)
    await all.until((event) => event.key?.['id'] === 1_000_000, 'the last row of the workload')
    for (const { collector, columns, sql } of listeners) {
      const selected = await readRows(database, `SELECT ${columns.join(', ')} FROM ${WORKLOAD_TABLE} WHERE ${sql}`)
      assertSameRows(fold(collector.events), selected, `the fold of the listener with ${sql} and ${columns.join(', ')}`)
    }
  },
}

const refused: ConformanceCase = {
  name: 'a condition that the table cannot answer is refused when the listener is attached, with a sentence that says why',
  law: 5,
  needs: ['conditions.where', 'conditions.eq', 'conditions.lt', 'operations.insert'],
  async run(context) {
    const { database } = context
    await database.query(
      `CREATE TABLE public.t (id int PRIMARY KEY, doc json, name text COLLATE "und-x-icu", day date)`,
    )
    const client = await context.connect()
    const cases: readonly (readonly [NonNullable<ListenOptions['where']>, RegExp])[] = [
      [{ idd: 1 }, /no column "idd".*"id"/u],
      [{ id: 'one' }, /invalid input syntax for type integer: "one"/u],
      [{ day: '2024-02-30' }, /date\/time field value out of range/u],
      [{ doc: { eq: '{}' } }, /json/u],
      [{ name: { lt: 'm' } }, /collation|order/u],
    ]
    for (const [where, message] of cases) {
      await assert.rejects(
        context.listen(client, { table: 'public.t', operations: ['insert'], where }),
        (error) => {
          assert.ok(RowtapError.is(error), String(error))
          assert.match(error.code, /^ERR_(?:INVALID_OPTIONS|CAPABILITY_UNSUPPORTED)$/u)
          assert.match(error.message, message)
          return true
        },
        JSON.stringify(where),
      )
    }
  },
}

/** Law 5: the fold of a listener with a condition is `SELECT … WHERE …`. */
export const conditionCases: readonly ConformanceCase[] = [crossing, idempotent, workload, refused]
