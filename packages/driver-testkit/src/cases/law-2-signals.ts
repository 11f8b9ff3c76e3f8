import type { Client } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import type { ConformanceContext } from '../conformance/conformance-context.ts'
import { standardTable } from '../tools/standard-table.ts'
import type { Told } from '../tools/told.ts'
import { told, transactionsOf } from '../tools/told.ts'

const NEEDS = ['listeners.withoutRows', 'operations.insert'] as const

/** A cache of how many rows `public.t` has: read again at each signal, one reading after another. */
async function cacheOf({ database }: ConformanceContext, client: Client): Promise<{ readonly count: () => number }> {
  let cached = 0
  await told(client, async () => {
    const [row] = await database.query('SELECT count(*)::int AS count FROM public.t')
    cached = Number(row?.['count'])
  })
  return { count: () => cached }
}

const oncePerTransaction: ConformanceCase = {
  name: 'a transaction of a thousand statements is one signal for each operation',
  law: 2,
  needs: [...NEEDS, 'operations.update', 'operations.delete', 'operations.truncate'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const { signals } = await told(await context.connect())
    const inserts = Array.from({ length: 700 }, (_, id) => `INSERT INTO public.t VALUES (${id}, repeat('x', 500))`)
    const updates = Array.from({ length: 200 }, (_, id) => `UPDATE public.t SET v = 'y' WHERE id = ${id}`)
    const deletes = Array.from({ length: 98 }, (_, id) => `DELETE FROM public.t WHERE id = ${id}`)
    const statements = [...inserts, ...updates, ...deletes, 'TRUNCATE public.t', 'INSERT INTO public.t VALUES (1)']
    await database.query(`BEGIN; ${statements.join('; ')}; COMMIT`)
    await context.eventually(() => signals.length >= 4, 'a signal for each operation')
    // Whatever else there is of it comes before this.
    await database.query('INSERT INTO public.t VALUES (2)')
    await context.eventually(() => new Set(transactionsOf(signals)).size === 2, 'the signal of another transaction')
    const [first] = transactionsOf(signals)
    const operations = signals.filter(({ transaction }) => transaction.id === first).map(({ operation }) => operation)
    assert.deepEqual(operations, ['insert', 'update', 'delete', 'truncate'])
    for (const { kind, schema, table, key, new: row, old } of signals)
      assert.deepEqual({ kind, schema, table, key, row, old }, SHAPE)
    const positions = signals.map(({ position }) => position)
    assert.deepEqual(positions, positions.toSorted(), 'positions go back')
  },
}

const INSERT = 'INSERT INTO public.t VALUES ($1)'

const SHAPE = { kind: 'signal', schema: 'public', table: 't', key: null, row: null, old: null }

const lastOne: ConformanceCase = {
  name: 'what was written last is told to a listener without rows, however busy its handler is',
  law: 2,
  needs: NEEDS,
  async run(context) {
    const { database, sizes } = context
    await standardTable(database, 't')
    const cache = await cacheOf(context, await context.connect())
    const writers = [await database.connect(), await database.connect()]
    let written = 0
    for (let round = 0; round < sizes.rounds; round += 1) {
      for (let left = [1, 1, 2, 5][round % 4] ?? 1; left > 0; left -= 2) {
        const ids = left === 1 ? [written] : [written, written + 1]
        written += ids.length
        await Promise.all(writers.slice(0, ids.length).map((writer, index) => writer.query(INSERT, [ids[index]])))
      }
      await context.eventually(() => cache.count() === written, `a cache with all of ${written} rows`)
    }
  },
}

const rolledBack: ConformanceCase = {
  name: 'a savepoint that is rolled back is no signal, and what its transaction does after it is one',
  law: 2,
  needs: [...NEEDS, 'operations.update', 'operations.delete'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't', 'INSERT INTO public.t VALUES (1)')
    const { signals } = await told(await context.connect())
    await database.query(`
      BEGIN;
      SAVEPOINT s; INSERT INTO public.t VALUES (2); UPDATE public.t SET v = 'x'; DELETE FROM public.t; ROLLBACK TO s;
      INSERT INTO public.t VALUES (3);
      SAVEPOINT s; UPDATE public.t SET v = 'x'; RELEASE s;
      COMMIT`)
    await database.query(`BEGIN; DELETE FROM public.t; ROLLBACK`)
    await context.eventually(() => signals.length >= 2, 'both signals')
    await database.query(`TRUNCATE public.t; INSERT INTO public.t VALUES (4)`)
    await context.eventually(() => new Set(transactionsOf(signals)).size > 1, 'the signal of another transaction')
    const [first] = transactionsOf(signals)
    const operations = signals.filter(({ transaction }) => transaction.id === first).map(({ operation }) => operation)
    assert.deepEqual(operations, ['insert', 'update'])
    assert.ok(!signals.some(({ operation }) => operation === 'delete'), 'what was rolled back is told')
  },
}

const ownBuffers: ConformanceCase = {
  name: 'listeners without rows have buffers of their own: a busy one keeps nobody waiting, and is told once what it missed',
  law: 10,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const client = await context.connect()
    const gate = Promise.withResolvers<void>()
    const slow = await told(client, () => gate.promise)
    const quick = await told(client)
    for (let id = 1; id <= 20; id += 1) {
      await database.query('INSERT INTO public.t VALUES ($1)', [id])
      await context.eventually(() => quick.signals.length === id, `${id} signals of the listener that is not busy`)
    }
    assert.deepEqual(slow.signals, quick.signals.slice(0, 1), 'a handler was called while it was busy')
    gate.resolve()
    await context.eventually(() => slow.signals.length > 1, 'the signal that waited')
    assert.deepEqual(slow.signals, [quick.signals[0], quick.signals[19]])
  },
}

const besideRows: ConformanceCase = {
  name: 'a table has listeners with rows and without at once, and none misses anything where those with rows come and go',
  law: 12,
  needs: [...NEEDS, 'listeners.attachWhileRunning'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const client = await context.connect()
    const cache = await cacheOf(context, client)
    const writer = await database.connect()
    let written = 0
    const write = async (): Promise<void> => {
      written += 1
      await writer.query('INSERT INTO public.t VALUES ($1)', [written])
    }
    for (let round = 0; round < 5; round += 1) {
      let isLive = false
      const ids: unknown[] = []
      const listener = client.listen({ table: 'public.t' })
      listener.on('insert', ({ new: row }) => void ids.push(row['id']))
      const ready = listener.ready.then(() => void (isLive = true))
      while (!isLive) await write()
      await ready
      const first = written + 1
      for (let count = 0; count < 3; count += 1) await write()
      await context.eventually(() => ids.includes(written), 'the rows of a listener with rows')
      assert.deepEqual(ids.slice(ids.indexOf(first)), [first, first + 1, first + 2])
      const stopping = listener.stop()
      for (let count = 0; count < 3; count += 1) await write()
      await stopping
      await context.eventually(() => cache.count() === written, 'a cache with every row')
    }
  },
}

const partitions: ConformanceCase = {
  name: 'what is written to a partition, by its own name too, is told of the table; so is what foreign keys cascade',
  law: 2,
  needs: [...NEEDS, 'operations.delete'],
  async run(context) {
    const { database } = context
    await database.query(`
      CREATE TABLE public.root (id int PRIMARY KEY);
      INSERT INTO public.root VALUES (1);
      CREATE TABLE public.t (id int PRIMARY KEY) PARTITION BY LIST (id);
      CREATE TABLE public.t1 PARTITION OF public.t FOR VALUES IN (1);
      CREATE TABLE public.child (id int PRIMARY KEY REFERENCES public.root ON DELETE CASCADE);
      INSERT INTO public.child VALUES (1)`)
    const client = await context.connect()
    const parted = await told(client)
    const child = await told(client, undefined, 'public.child')
    const check = async (sql: string, { signals }: Told, wanted: string): Promise<void> => {
      await database.query(sql)
      await context.eventually(() => signals.length > 0, `the signal of ${sql}`)
      assert.deepEqual(
        signals.splice(0).map(({ table, operation }) => `${operation} ${table}`),
        [wanted],
      )
    }
    await check('INSERT INTO public.t VALUES (1)', parted, 'insert t')
    await check('DELETE FROM public.t1', parted, 'delete t')
    await check('INSERT INTO public.t1 VALUES (1)', parted, 'insert t')
    await check('DELETE FROM public.root', child, 'delete child')
  },
}

/** Laws 2, 10 and 12, of listeners that are told only that their table has changed. */
export const signalCases: readonly ConformanceCase[] = [
  oncePerTransaction,
  lastOne,
  rolledBack,
  ownBuffers,
  besideRows,
  partitions,
]
