import type { CapabilityName, Row } from '@rowtap/core'
import { RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { eventually } from '../tools/eventually.ts'
import { fold } from '../tools/fold.ts'
import { createWorkloadTable, runWorkload, WORKLOAD_TABLE } from '../tools/random-workload.ts'
import { assertSameRows, readRows, readTable } from '../tools/read-table.ts'
import { collectSnapshot } from '../tools/snapshot-collector.ts'
import { standardTable } from '../tools/standard-table.ts'

const NEEDS: readonly CapabilityName[] = [
  'snapshot.initial',
  'operations.insert',
  'operations.update',
  'operations.delete',
]
const LAST_ID = 1_000_000
/** So little that a table is read in many pieces. */
const SMALL_BUFFER = 8192

function workloadFold(identity: 'FULL' | 'DEFAULT'): ConformanceCase {
  return {
    name: `the rows of a snapshot and the changes after them fold to the table, under a random concurrent workload (replica identity ${identity.toLowerCase()})`,
    law: 2,
    needs: NEEDS,
    timeoutMs: 120_000,
    async run(context) {
      const { database, sizes } = context
      await createWorkloadTable(database, identity)
      await database.query(
        `INSERT INTO ${WORKLOAD_TABLE} (id, owner, note) SELECT i, 'old', repeat('x', i % 300) FROM generate_series(100, 4000) i`,
      )
      const client = await context.connect()
      const truncate = context.declares('operations.truncate') && identity === 'DEFAULT'
      const writing = runWorkload({ database, seed: sizes.seed, transactions: sizes.transactions, truncate })
      const all = collectSnapshot(client, { table: WORKLOAD_TABLE, bufferBytes: SMALL_BUFFER })
      await all.listener.ready
      // Another one comes in the middle of it.
      const later = collectSnapshot(client, { table: WORKLOAD_TABLE, bufferBytes: 4 * SMALL_BUFFER })
      await writing
      await Promise.all([all.listener.snapshotDone, later.listener.snapshotDone])
      await database.query(`INSERT INTO ${WORKLOAD_TABLE} (id) VALUES ($1)`, [LAST_ID])
      for (const collector of [all, later]) {
        await collector.until((event) => event.key?.['id'] === LAST_ID, 'the last row of the workload')
        const table = await readTable(database, WORKLOAD_TABLE)
        // Where a value was not sent, a row is read again, and its end may be told twice.
        const folded = (): ReadonlyMap<string, Row> => fold(collector.delivered, { strict: identity === 'FULL' })
        // A row that was read again comes before what is still to come of the time before that: a truncate, and rows.
        if (truncate) await eventually(() => isDeepStrictEqual(folded(), table), 'the fold of rows and changes')
        assertSameRows(folded(), table, 'the fold of rows and changes')
      }
      // What a truncate removes is not read: there may be no row.
      if (truncate) return
      assert.ok(all.delivered.filter(({ kind }) => kind === 'snapshot').length > 1000, 'rows came as a snapshot')
    },
  }
}

const withCondition: ConformanceCase = {
  name: 'the rows of a snapshot with a condition, and the changes after them, fold to what the condition selects',
  law: 2,
  needs: [...NEEDS, 'conditions.where', 'conditions.gte'],
  timeoutMs: 120_000,
  async run(context) {
    const { database, sizes } = context
    await createWorkloadTable(database, 'FULL')
    await database.query(
      `INSERT INTO ${WORKLOAD_TABLE} (id, owner, balance) SELECT i, 'old', i % 50 FROM generate_series(1, 3000) i`,
    )
    const client = await context.connect()
    const { transactions, seed } = sizes
    const writing = runWorkload({
      database,
      seed: seed + 1,
      transactions: Math.ceil(transactions / 2),
      truncate: false,
    })
    const collector = collectSnapshot(client, {
      table: WORKLOAD_TABLE,
      where: { balance: { gte: 10 } },
      columns: ['id', 'balance'],
      bufferBytes: SMALL_BUFFER,
    })
    await collector.listener.ready
    await writing
    await collector.listener.snapshotDone
    await database.query(`INSERT INTO ${WORKLOAD_TABLE} (id, balance) VALUES ($1, 10)`, [LAST_ID])
    await collector.until((event) => event.key?.['id'] === LAST_ID, 'the last row of the workload')
    const expected = await readRows(database, `SELECT id, balance FROM ${WORKLOAD_TABLE} WHERE balance >= 10`)
    assertSameRows(fold(collector.delivered), expected, 'the fold of rows and changes')
  },
}

const shape: ConformanceCase = {
  name: 'a row of a snapshot is what a SELECT returns, comes once, and before its first change',
  law: 2,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't', `INSERT INTO public.t VALUES (2, 'two'), (1, 'one'), (3, NULL)`)
    const client = await context.connect()
    const collector = collectSnapshot(client, { table: 'public.t' })
    await collector.listener.snapshotDone
    await database.query(`UPDATE public.t SET v = 'changed' WHERE id = 2`)
    await collector.until((event) => event.kind === 'update', 'the change after the snapshot')
    const shapes = collector.delivered.map(({ kind, key, new: row, old }): Row => ({
      kind,
      key,
      row,
      old: old === null,
    }))
    assert.deepEqual(shapes.slice(0, 3), [
      { kind: 'snapshot', key: { id: 1 }, row: { id: 1, v: 'one' }, old: true },
      { kind: 'snapshot', key: { id: 2 }, row: { id: 2, v: 'two' }, old: true },
      { kind: 'snapshot', key: { id: 3 }, row: { id: 3, v: null }, old: true },
    ])
    assert.equal(collector.delivered.length, 4)
    const ids = new Set(collector.delivered.map(({ id }) => id))
    assert.equal(ids.size, 4, 'every event has an id of its own')
    const [metrics] = client.metrics().listeners
    assert.deepEqual({ ...metrics?.snapshot, estimate: null }, { rows: 3, estimate: null, isDone: true })
  },
}

/** Tables whose keys are compared and sorted in ways that a driver may get wrong. */
const TABLES: Readonly<Record<string, string>> = {
  'of texts, in the order of a language': `
    CREATE TABLE public.t (k text COLLATE "en-x-icu" PRIMARY KEY, v int);
    INSERT INTO public.t SELECT chr(65 + i % 26 + 32 * (i % 2)) || CASE i % 3 WHEN 0 THEN '-' WHEN 1 THEN 'é' ELSE '' END || i, i FROM generate_series(1, 700) i`,
  'of three columns': `
    CREATE TABLE public.t (a text COLLATE "C", v int, b numeric, c timestamptz, PRIMARY KEY (b, a, c));
    INSERT INTO public.t SELECT 'a' || i % 7, i, i % 11 - 5.5, 'epoch'::timestamptz + i * interval '1 hour' FROM generate_series(1, 700) i`,
  'of a partitioned table': `
    CREATE TABLE public.t (k int PRIMARY KEY, v int) PARTITION BY HASH (k);
    CREATE TABLE public.t0 PARTITION OF public.t FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE public.t1 PARTITION OF public.t FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO public.t SELECT i, i FROM generate_series(1, 700) i`,
  'of a type of its own': `
    CREATE TYPE public.size AS ENUM ('small', 'large', 'middle');
    CREATE DOMAIN public.number AS int;
    CREATE TABLE public.t (s public.size, n public.number, v int, PRIMARY KEY (s, n));
    INSERT INTO public.t SELECT (ARRAY['small', 'large', 'middle']::public.size[])[1 + i % 3], i, i FROM generate_series(1, 700) i`,
}

function keyed(what: string, table: string): ConformanceCase {
  return {
    name: `a table with a key ${what} is read whole, while it is written to`,
    law: 2,
    needs: NEEDS,
    async run(context) {
      const { database } = context
      await database.query(table)
      const client = await context.connect()
      const collector = collectSnapshot(client, { table: 'public.t', bufferBytes: SMALL_BUFFER })
      await collector.listener.ready
      for (let round = 0; round < 20; round += 1) {
        await database.query(
          `UPDATE public.t SET v = v + 1000 WHERE v % 20 = ${round}; DELETE FROM public.t WHERE v = ${round * 7 + 3}`,
        )
      }
      await collector.listener.snapshotDone
      await database.query('UPDATE public.t SET v = -1 WHERE v = (SELECT max(v) FROM public.t)')
      await collector.until((event) => event.new?.['v'] === -1, 'the last change')
      const [first] = collector.delivered
      const key = Object.keys(first?.key ?? {})
      assertSameRows(fold(collector.delivered, { key }), await readTable(database, 'public.t', key), 'the fold')
    },
  }
}

const emptied: ConformanceCase = {
  name: 'a table that is emptied and filled again while it is read is what it is in the end',
  law: 2,
  needs: [...NEEDS, 'operations.truncate'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const fill = 'INSERT INTO public.t SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 2000) i'
    await database.query(fill)
    const client = await context.connect()
    const collector = collectSnapshot(client, { table: 'public.t', bufferBytes: SMALL_BUFFER })
    await collector.count(1, 'the first row')
    for (let round = 0; round < 3; round += 1) {
      await database.query(`BEGIN; TRUNCATE public.t; ${fill}; COMMIT`)
      await database.query(`UPDATE public.t SET v = 'round ${round}' WHERE id % 100 = ${round}`)
    }
    await collector.listener.snapshotDone
    await database.query('INSERT INTO public.t VALUES ($1)', [LAST_ID])
    await collector.until((event) => event.key?.['id'] === LAST_ID, 'the last row')
    assertSameRows(fold(collector.delivered), await readTable(database, 'public.t'), 'the fold')
  },
}

const backPressure: ConformanceCase = {
  name: 'a slow handler holds the reading of the table back',
  law: 10,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(
      database,
      't',
      `INSERT INTO public.t SELECT i, repeat('x', 100) FROM generate_series(1, 50000) i`,
    )
    const client = await context.connect()
    const slow = Promise.withResolvers<void>()
    const listener = client.listen({ table: 'public.t', snapshot: 'initial', bufferBytes: 100_000 })
    let seen = 0
    listener.on('change', async () => {
      seen += 1
      await slow.promise
    })
    await context.eventually(() => seen === 1, 'the first row')
    // Another listener of the client is not held back by it.
    await standardTable(database, 'other')
    const other = await context.listen(client, { table: 'public.other' })
    await database.query('INSERT INTO public.other VALUES (1)')
    await other.count(1, 'a change of another table')
    const [metrics] = client.metrics().listeners
    assert.ok((metrics?.bufferBytes ?? Infinity) < 400_000, `${metrics?.bufferBytes} bytes wait`)
    assert.ok((metrics?.snapshot?.rows ?? Infinity) < 5000, `${metrics?.snapshot?.rows} rows were read`)
    slow.resolve()
    await listener.snapshotDone
    assert.equal(seen, 50_000)
  },
}

const large: ConformanceCase = {
  name: 'a large table is read whole and in order, a bounded amount of it at a time',
  law: 10,
  needs: NEEDS,
  timeoutMs: 180_000,
  async run(context) {
    const { database, sizes } = context
    const rows = sizes.bigTransactionRows * 2
    await standardTable(
      database,
      't',
      `INSERT INTO public.t SELECT i, repeat('x', 60) FROM generate_series(1, ${rows}) i`,
    )
    const client = await context.connect()
    const listener = client.listen({ table: 'public.t', snapshot: 'initial' })
    let next = 1
    let most = 0
    listener.on('change', async (event) => {
      assert.equal(event.key?.['id'], next)
      next += 1
      if (next % 1000 !== 0) return
      most = Math.max(most, client.metrics().listeners[0]?.bufferBytes ?? 0)
      await new Promise((resolve) => setImmediate(resolve))
    })
    await listener.snapshotDone
    assert.equal(next, rows + 1)
    assert.ok(most < 3 * 4 * 1024 * 1024, `${most} bytes waited at a time`)
  },
}

const withoutKey: ConformanceCase = {
  name: 'a table without a key cannot be read in pieces: it is refused with a way out, and a unique index is one',
  law: 2,
  needs: [...NEEDS, 'keys.declared'],
  async run(context) {
    const { database } = context
    await database.query(`
      CREATE TABLE public.t (a int NOT NULL, b text COLLATE "C" NOT NULL, v int);
      ALTER TABLE public.t REPLICA IDENTITY FULL;
      INSERT INTO public.t SELECT i % 10, 'b' || i, i FROM generate_series(1, 300) i`)
    const client = await context.connect()
    const refused = collectSnapshot(client, { table: 'public.t' })
    await assert.rejects(refused.listener.ready, isSetupRequired('has no primary key'))
    const key = ['a', 'b']
    const wrong = collectSnapshot(client, { table: 'public.t', key })
    await assert.rejects(wrong.listener.ready, isSetupRequired('unique index'))
    await database.query('CREATE UNIQUE INDEX ON public.t (b, a)')
    const collector = collectSnapshot(client, { table: 'public.t', key, bufferBytes: SMALL_BUFFER })
    await collector.listener.snapshotDone
    await database.query('UPDATE public.t SET b = $1 WHERE v = 7', ['moved'])
    await collector.until(
      ({ kind, derivedFrom }) => kind === 'insert' && derivedFrom === 'update',
      'the change of the key',
    )
    assertSameRows(fold(collector.delivered, { key }), await readTable(database, 'public.t', key), 'the fold')
  },
}

function isSetupRequired(part: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(RowtapError.is(error, 'ERR_SETUP_REQUIRED'), String(error))
    assert.ok(error.message.includes(part) && error.message.includes('Run: '), error.message)
    return true
  }
}

/** Law 2: between the rows that were there and the changes after them, nothing is missing and nothing is twice. */
export const snapshotCases: readonly ConformanceCase[] = [
  shape,
  workloadFold('FULL'),
  workloadFold('DEFAULT'),
  withCondition,
  ...Object.entries(TABLES).map(([what, table]) => keyed(what, table)),
  emptied,
  withoutKey,
  backPressure,
  large,
]
