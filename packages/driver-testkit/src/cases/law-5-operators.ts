import type { CapabilityName, ListenOptions } from '@rowtap/core'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import type { ConformanceContext } from '../conformance/conformance-context.ts'
import { fold } from '../tools/fold.ts'
import { assertSameRows, readRows } from '../tools/read-table.ts'

type ConditionName = Extract<CapabilityName, `conditions.${string}`>

/** A condition in the object form, and the same in SQL. */
interface Wanted {
  readonly where: NonNullable<ListenOptions['where']>
  readonly sql: string
}

/** Conditions that use each operator. Total by type: an operator without one does not compile. */
const CONDITIONS: Readonly<Record<ConditionName, Wanted>> = {
  'conditions.where': { where: { n: 2 }, sql: 'n = 2' },
  'conditions.eq': { where: { amount: { eq: '1.50' } }, sql: 'amount = 1.50' },
  'conditions.neq': { where: { s: { neq: 'b' } }, sql: `s <> 'b'` },
  'conditions.lt': { where: { n: { lt: 3 } }, sql: 'n < 3' },
  'conditions.lte': { where: { amount: { lte: '1.5' } }, sql: 'amount <= 1.5' },
  'conditions.gt': { where: { at: { gt: '2024-02-29 12:00:00+00' } }, sql: `at > '2024-02-29 12:00:00+00'` },
  'conditions.gte': { where: { big: { gte: '9007199254740993' } }, sql: 'big >= 9007199254740993' },
  'conditions.in': { where: { n: { in: [1, 3, 5] } }, sql: 'n IN (1, 3, 5)' },
  'conditions.notIn': { where: { s: { notIn: ['a', 'c'] } }, sql: `s NOT IN ('a', 'c')` },
  'conditions.isNull': { where: { s: null }, sql: 's IS NULL' },
  'conditions.isNotNull': { where: { amount: { isNull: false } }, sql: 'amount IS NOT NULL' },
  'conditions.like': { where: { s: { like: '_%' } }, sql: `s LIKE '_%'` },
  'conditions.notLike': { where: { s: { notLike: 'b%' } }, sql: `s NOT LIKE 'b%'` },
  'conditions.ilike': { where: { plain: { ilike: 'A%' } }, sql: `plain ILIKE 'A%'` },
  'conditions.notIlike': { where: { plain: { notIlike: '%B' } }, sql: `plain NOT ILIKE '%B'` },
  'conditions.between': { where: { n: { between: [2, 4] } }, sql: 'n BETWEEN 2 AND 4' },
  'conditions.notBetween': { where: { n: { notBetween: [2, 4] } }, sql: 'n NOT BETWEEN 2 AND 4' },
  'conditions.isDistinctFrom': { where: { n: { isDistinctFrom: 2 } }, sql: 'n IS DISTINCT FROM 2' },
  'conditions.isNotDistinctFrom': { where: { s: { isNotDistinctFrom: 'b' } }, sql: `s IS NOT DISTINCT FROM 'b'` },
  'conditions.boolean': { where: { flag: true }, sql: 'flag' },
  'conditions.and': { where: { n: { gte: 2 }, flag: false }, sql: 'n >= 2 AND NOT flag' },
  'conditions.or': { where: { or: [{ n: 1 }, { s: 'c' }] }, sql: `n = 1 OR s = 'c'` },
  'conditions.not': { where: { not: { or: [{ n: 1 }, { s: 'c' }] } }, sql: `NOT (n = 1 OR s = 'c')` },
}

const TABLE = `
  CREATE TABLE public.t (
    id int PRIMARY KEY, n int, big bigint, amount numeric, s text, plain text COLLATE "C", flag boolean, at timestamptz
  );
  ALTER TABLE public.t REPLICA IDENTITY FULL`

/** Rows on both sides of every condition, and NULLs; then every way into a condition, out of it and around it. */
const STATEMENTS: readonly string[] = [
  `INSERT INTO public.t SELECT i, i % 6, 9007199254740990 + i, i * 0.5, chr(96 + i % 5), CASE i % 3 WHEN 0 THEN 'Ab' WHEN 1 THEN 'aB' ELSE 'x' END,
     i % 2 = 0, timestamptz '2024-02-29 12:00:00+00' + i * interval '1 microsecond' - interval '3 microseconds'
   FROM generate_series(1, 12) AS i`,
  `INSERT INTO public.t (id) VALUES (13), (14)`,
  `INSERT INTO public.t VALUES (15, 2, 1, 'NaN', '', '', NULL, 'infinity'), (16, 1, 9007199254740993, 1.500, 'B', 'AB', true, '-infinity')`,
  `UPDATE public.t SET n = n + 1`,
  `UPDATE public.t SET s = 'b', flag = NOT flag WHERE id % 2 = 0`,
  `UPDATE public.t SET amount = NULL, big = big + 3 WHERE id % 3 = 0`,
  `UPDATE public.t SET n = NULL, plain = upper(plain) WHERE id % 4 = 0`,
  `UPDATE public.t SET at = at + interval '2 microseconds', s = s`,
  `UPDATE public.t SET n = 2, s = 'c', amount = 1.5, flag = true WHERE id IN (13, 5)`,
  `UPDATE public.t SET id = id + 100, n = 3 WHERE id % 5 = 0`,
  `DELETE FROM public.t WHERE id IN (1, 2, 14, 105)`,
]

async function foldsLikeSelect(context: ConformanceContext, { where, sql }: Wanted): Promise<void> {
  const { database } = context
  await database.query(TABLE)
  const client = await context.connect()
  const some = await context.listen(client, { table: 'public.t', where })
  const all = await context.listen(client, { table: 'public.t' })
  for (const statement of STATEMENTS) await database.query(statement)
  await database.query(`INSERT INTO public.t (id) VALUES (1000)`)
  await all.until((event) => event.key?.['id'] === 1000, 'the last row')
  await context.eventually(() => some.listener.ready.then(() => true), 'the listener is live')
  const selected = await readRows(database, `SELECT * FROM public.t WHERE ${sql}`)
  await context.eventually(() => fold(some.events).size === selected.size, `as many rows as SELECT … WHERE ${sql}`)
  assertSameRows(fold(some.events), selected, `the fold of the listener with ${sql}`)
}

/** Law 5: each operator means what PostgreSQL means by it. */
export const operatorCases: readonly ConformanceCase[] = Object.entries(CONDITIONS).map(([name, wanted]) => ({
  name: `the fold of a listener with a condition is SELECT … WHERE ${wanted.sql} (${name})`,
  law: 5,
  needs: [
    'conditions.where',
    name as ConditionName,
    'operations.insert',
    'operations.update',
    'operations.delete',
    'rows.old',
  ],
  run: (context) => foldsLikeSelect(context, wanted),
}))
