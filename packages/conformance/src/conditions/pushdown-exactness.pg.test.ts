import type { Change, Relation, Tuple } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { triggerDriver } from '@rowtap/driver-trigger'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { compileCondition } from '../../../core/src/conditions/compile-condition.ts'
import type { Condition } from '../../../core/src/conditions/condition.ts'
import { normalisedConstants } from '../../../core/src/conditions/normalise-constants.ts'
import { toSql } from '../../../core/src/conditions/to-sql.ts'
import type { DrawnColumn } from '../../../core/src/testing/conditions/condition-arbitraries.ts'
import { conditionOn, valueOf } from '../../../core/src/testing/conditions/condition-arbitraries.ts'
import { tupleOf } from '../../../core/src/testing/conditions/tuple-of.ts'
import { SAMPLE_SETUP, typeSamples } from '../../../core/src/testing/conditions/type-samples.ts'
import type { TextRow } from './drawn-table.ts'
import { canonicalConnection, insertStatement, normaliseOver, textRows, typesOf } from './drawn-table.ts'

const RUNS = 10
const ROWS = 12
const CONDITIONS = 8
/** The types that are left to the trigger. */
const PLAIN =
  /^(?:bool|bytea|int[248]|text|oid|float[48]|bpchar|varchar|date|time|timestamp|timestamptz|numeric|uuid)\b(?!.*\[)/u
/** What a session may have set, and a condition must not depend on. */
const HOSTILE = `
  SET "DateStyle" = 'German, DMY'; SET "TimeZone" = 'Asia/Kathmandu'; SET "IntervalStyle" = 'iso_8601'; SET bytea_output = 'escape';
  SET extra_float_digits = '-15'; SET standard_conforming_strings = off; SET transform_null_equals = on; SET search_path = ''`

describePostgres('conditions and columns that are left to the trigger', (postgres) => {
  test('leave out, of at least 2,000 random changes, exactly what core would', { timeout: 180_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query(SAMPLE_SETUP)
    const connection = await canonicalConnection(database)
    const writer = await database.connect()
    await writer.query(HOSTILE)
    const samples = typeSamples(postgres.version).filter(({ sql }) => PLAIN.test(sql))
    const definitions = samples.map((sample, index) => `c${index} ${sample.sql}`)
    await connection.query(
      `CREATE TABLE public.everything (${definitions.join(', ')}); CREATE TABLE public.marker (id int PRIMARY KEY)`,
    )
    const all = (await typesOf(connection, 'everything')).map((column, index): DrawnColumn => {
      const sample = samples[index]
      assert.ok(sample)
      return { ...column, sample }
    })
    await using captured = await openCaptured(database)
    let [pairs, leftOut, narrowed] = [0, 0, 0]
    const drawn = fc
      .uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 5, selector: ({ name }) => name })
      .chain((columns) =>
        fc.record({
          columns: fc.constant(columns),
          rows: fc.array(fc.tuple(...columns.map(({ sample }) => fc.option(valueOf(sample), { freq: 8 }))), {
            minLength: ROWS,
            maxLength: ROWS,
            size: 'max',
          }),
          wishes: fc.array(
            fc.record({ condition: conditionOn(columns), listed: fc.subarray(columns.map(({ name }) => name)) }),
            { minLength: CONDITIONS, maxLength: CONDITIONS, size: 'max' },
          ),
        }),
      )
    await fc.assert(
      fc.asyncProperty(drawn, async ({ columns, rows, wishes }) => {
        const types = columns.map(({ name, sample }) => `${name} ${sample.sql}`)
        await connection.query(`CREATE TABLE public.drawn (${types.join(', ')}, no int PRIMARY KEY)`)
        const known = (await typesOf(connection, 'public.drawn')).slice(0, -1)
        for (const { condition, listed } of wishes) {
          // What the condition is about is listed, as core does.
          const about = columns.map(({ name }) => name).filter((name) => isAbout(condition, name))
          const wanted = new Set([...listed, ...about, 'no'])
          const constants = await normalisedConstants(condition, known, normaliseOver(connection))
          await captured.capture(condition, toSql(condition, known, constants), wanted)
          const { isTrue } = compileCondition(condition, known, constants)
          const numbered = rows.map((row, index): TextRow => [...row, String(index)])
          const names = columns.map(({ name }) => name)
          const isNarrow = wanted.size <= names.length
          // A pattern is not left to the trigger: then every row is captured.
          const isLeft = !/"operator":"[a-z ]*like"/u.test(JSON.stringify(condition))
          const listedOf = (row: TextRow): string =>
            JSON.stringify(row.map((text, index) => (wanted.has(names[index] ?? 'no') || !isNarrow ? text : LEFT_OUT)))
          const printed = async (): Promise<ReadonlyMap<string, Printed>> =>
            new Map(
              (await textRows(connection, 'SELECT * FROM public.drawn')).map((row) => [
                row.at(-1) ?? '',
                { is: !isLeft || isTrue(tupleOf(row)) === true, text: listedOf(row) },
              ]),
            )
          await writer.query(insertStatement('drawn', numbered).replace('"drawn"', 'public.drawn'))
          const before = await printed()
          await writer.query(`
            UPDATE public.drawn d SET (${names.join(', ')}) = (
              SELECT ${names.join(', ')} FROM public.drawn s WHERE s.no OPERATOR(pg_catalog.=) ((d.no OPERATOR(pg_catalog.+) 1) OPERATOR(pg_catalog.%) ${ROWS})
            )`)
          const after = await printed()
          await writer.query('DELETE FROM public.drawn')
          const changes = await captured.changes()
          const expected = [
            ...[...before.values()].filter(({ is }) => is).map(({ text }) => `insert ${text}`),
            ...[...before].flatMap(([no, { is, text }]) => {
              const then = after.get(no)
              const isChanged = !isNarrow || then?.text !== text
              return (is || then?.is === true) && isChanged ? [`update ${text} ${then?.text}`] : []
            }),
            ...[...after.values()].filter(({ is }) => is).map(({ text }) => `delete ${text}`),
          ]
          const told = `${toSql(condition, known, constants)}, ${[...wanted].join()} of ${JSON.stringify(rows)}`
          const came = changes.map(({ kind, relation, old, new: row }) =>
            [kind, ...[old, row].flatMap((tuple) => (tuple === null ? [] : [textsOf(relation, tuple)]))].join(' '),
          )
          assert.deepEqual(came.toSorted(), expected.toSorted(), told)
          pairs += 3 * ROWS
          leftOut += 3 * ROWS - came.length
          if (isNarrow) narrowed += 1
        }
        await captured.capture(null, null, null)
        await connection.query('DROP TABLE public.drawn')
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
    assert.ok(pairs >= 2000 && leftOut >= 500, `${pairs} changes, ${leftOut} of them left out`)
    assert.ok(narrowed >= RUNS, `${narrowed} times there were fewer columns`)
  })
})

/** A row as PostgreSQL has it. */
interface Printed {
  /** Whether it is wanted. */
  readonly is: boolean
  /** The values of the columns that are. */
  readonly text: string
}

/** What stands for a value that is not there. */
const LEFT_OUT = 0

/** What a captured row has of its columns. */
function textsOf(relation: Relation, tuple: Tuple): string {
  const texts = relation.columns.map((_, index) => tuple.text(index))
  return JSON.stringify(texts.map((text) => (text === undefined ? LEFT_OUT : text)))
}

/** Whether a condition, which is plain JSON, names a column. */
function isAbout(condition: Condition, name: string): boolean {
  return JSON.stringify(condition).includes(`"column":${JSON.stringify(name)}`)
}

interface Captured extends AsyncDisposable {
  /** Captures `public.drawn` for one listener with a condition and columns, or no more. */
  capture(tree: Condition | null, sql: string | null, columns: ReadonlySet<string> | null): Promise<void>
  /** What has been captured of it since the last call. */
  changes(): Promise<readonly Change[]>
}

async function openCaptured(database: TestDatabase): Promise<Captured> {
  const session = await triggerDriver({ connection: database.url, pushdown: 'conditions' }).open({
    subscription: null,
    signal: new AbortController().signal,
    planOnly: false,
    messages: false,
    notify: () => {},
  })
  assert.equal(session.usesConditions, true)
  const seen: Change[] = []
  const read = async (): Promise<void> => {
    for await (const batch of session.batches()) {
      seen.push(...batch.changes)
      const last = batch.changes.at(-1)
      if (last !== undefined) session.acknowledge(last.position)
    }
  }
  const reading = read()
  let markers = 0
  const request = (
    name: string,
    where: readonly { tree: Condition; sql: string }[] | null,
    columns: ReadonlySet<string> | null,
  ) => ({
    table: { schema: 'public', name },
    operations: new Set(['insert', 'update', 'delete'] as const),
    columns,
    comparedEnums: new Set<string>(),
    where,
  })
  return {
    capture: async (tree, sql, columns) => {
      const drawn = tree === null || sql === null ? [] : [request('drawn', [{ tree, sql }], columns)]
      await session.capture([request('marker', null, null), ...drawn])
    },
    changes: async () => {
      markers += 1
      await database.query('INSERT INTO public.marker VALUES ($1)', [markers])
      const isMarker = ({ relation, new: row }: Change): boolean =>
        relation.name === 'marker' && row?.text(0) === String(markers)
      await eventually(() => seen.some(isMarker), 'the marker')
      return seen.splice(0).filter(({ relation }) => relation.name === 'drawn')
    },
    [Symbol.asyncDispose]: async () => {
      await session.close()
      await reading
    },
  }
}
