import type { ChangeEvent } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { seededRandom } from '../tools/seeded-random.ts'
import { eventsSoFar, standardTable } from '../tools/standard-table.ts'

const WRITERS = 4

const rowOrder: ConformanceCase = {
  name: 'the changes of one row arrive in the order in which they were made, with several writers at once',
  law: 3,
  needs: ['operations.insert', 'operations.update', 'order.row'],
  async run(context) {
    const { database, sizes } = context
    await database.query('CREATE TABLE public.t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query('INSERT INTO public.t SELECT generate_series(1, 3)')
    await Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        const client = await database.connect()
        const random = seededRandom(sizes.seed + writer)
        for (let count = 0; count < sizes.transactions; count += 1) {
          // Rows in the order of their key, so that no two writers wait for each other in a circle.
          const ids = random.chance(0.5) ? [1, 2, 3] : [1 + random.integer(3)]
          await client.query('BEGIN')
          for (const id of ids) await client.query('UPDATE public.t SET n = n + 1 WHERE id = $1', [id])
          await client.query('COMMIT')
        }
      }),
    )
    const events = await eventsSoFar(database, collector, 't')
    const last = new Map<unknown, number>()
    for (const event of events) {
      const id = event.key?.['id']
      const n = Number(event.new?.['n'])
      const expected = event.kind === 'insert' ? 0 : (last.get(id) ?? 0) + 1
      assert.equal(
        n,
        expected,
        `reordered, lost or duplicated: row ${String(id)} shows n = ${n} where n = ${expected} comes next`,
      )
      last.set(id, n)
    }
    const rows = await database.query('SELECT id, n FROM public.t WHERE id > 0 ORDER BY id')
    assert.deepEqual(
      rows,
      [1, 2, 3].map((id) => ({ id, n: last.get(id) })),
      'lost: the last change of a row',
    )
  },
}

const overtaking: ConformanceCase = {
  name: 'a row’s changes keep their order when the younger transaction writes first and an even older one is open',
  law: 3,
  needs: ['operations.insert', 'operations.update', 'order.row'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(`INSERT INTO public.t VALUES (1, 'start'), (2, 'start'), (3, 'start')`)
    const older = await database.connect()
    const open = await database.connect()
    // Each gets its transaction id now: `older` is the oldest.
    await older.query(`BEGIN; UPDATE public.t SET v = 'older' WHERE id = 2`)
    await open.query(`BEGIN; UPDATE public.t SET v = 'open' WHERE id = 3`)
    await database.query(`UPDATE public.t SET v = 'younger' WHERE id = 1`)
    await collector.until(
      (event) => event.new?.['v'] === 'younger',
      'the younger transaction’s update, while older ones are open',
    )
    await older.query(`UPDATE public.t SET v = 'older' WHERE id = 1; COMMIT`)
    await collector.until(
      (event) => event.new?.['id'] === 1 && event.new['v'] === 'older',
      'the older transaction’s update',
    )
    await open.query('COMMIT')
    const events = await eventsSoFar(database, collector, 't')
    const values = events.filter((event) => event.key?.['id'] === 1).map((event) => event.new?.['v'])
    assert.deepEqual(values, ['start', 'younger', 'older'], 'reordered: the changes of row 1')
  },
}

/** Fails where a transaction's events are not next to each other. */
function assertContiguous(events: readonly ChangeEvent[]): void {
  const done = new Set<string>()
  let current: string | undefined
  for (const { transaction } of events) {
    if (transaction.id === current) continue
    assert.ok(!done.has(transaction.id), `scattered: transaction ${transaction.id} goes on after another one began`)
    if (current !== undefined) done.add(current)
    current = transaction.id
  }
}

const contiguous: ConformanceCase = {
  name: 'the changes of a transaction are next to each other, however many write at once',
  law: 3,
  needs: ['operations.insert', 'order.transaction', 'transactions.id'],
  async run(context) {
    const { database, sizes } = context
    await standardTable(database, 'a')
    await standardTable(database, 'b')
    const client = await context.connect()
    const a = await context.listen(client, { table: 'public.a' })
    const b = await context.listen(client, { table: 'public.b' })
    const perWriter = Math.ceil(sizes.transactions / 4)
    await Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        const connection = await database.connect()
        for (let count = 0; count < perWriter; count += 1) {
          const id = 1 + (writer * perWriter + count) * 10
          await connection.query('BEGIN')
          for (let offset = 0; offset < 4; offset += 1) {
            await connection.query(`INSERT INTO public.${offset % 2 === 0 ? 'a' : 'b'} VALUES ($1, 'x')`, [id + offset])
          }
          await connection.query('COMMIT')
        }
      }),
    )
    const ofA = await eventsSoFar(database, a, 'a')
    const ofB = await eventsSoFar(database, b, 'b')
    const wanted = WRITERS * perWriter * 2
    assert.deepEqual(
      [ofA.length, ofB.length],
      [wanted, wanted],
      'lost or duplicated: two rows of each transaction in each table',
    )
    assertContiguous(ofA)
    assertContiguous([...ofA, ...ofB].toSorted((one, other) => (one.position < other.position ? -1 : 1)))
  },
}

const commitOrder: ConformanceCase = {
  name: 'transactions arrive in the order in which they committed',
  law: 3,
  needs: ['operations.insert', 'order.commit'],
  async run(context) {
    const { database, sizes } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const random = seededRandom(sizes.seed)
    const committed: number[] = []
    const writers = await Promise.all(Array.from({ length: 8 }, () => database.connect()))
    for (let round = 0; round < 5; round += 1) {
      const open = writers.map((writer, index) => ({ writer, id: 1 + round * 100 + index }))
      for (const { writer, id } of open) await writer.query(`BEGIN; INSERT INTO public.t VALUES (${id})`)
      while (open.length > 0) {
        const [next] = open.splice(random.integer(open.length), 1)
        if (next === undefined) break
        await next.writer.query('COMMIT')
        committed.push(next.id)
      }
    }
    const events = await eventsSoFar(database, collector, 't')
    assert.deepEqual(
      events.map((event) => event.key?.['id']),
      committed,
      'reordered: the transactions are not in commit order',
    )
  },
}

/** Law 3: order. */
export const orderCases: readonly ConformanceCase[] = [rowOrder, overtaking, contiguous, commitOrder]
