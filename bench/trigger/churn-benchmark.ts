import { setTimeout as pause } from 'node:timers/promises'
import { connect } from '@rowtap/core'
import { triggerDriver } from '@rowtap/driver-trigger'
import pg from 'pg'
import type { BenchDatabase } from '../wal/bench-database.ts'
import { createDatabase } from '../wal/bench-database.ts'
import { postgresPrograms } from '../wal/postgres-programs.ts'
import { startPrivateServer } from '../wal/private-server.ts'
import { printTable, target } from './print.ts'

const WRITERS = 8
const SAMPLE_MS = 250
const MEGABYTE = 1_000_000

/** What the tables of the queue's schema may have on the disk at most, in megabytes: however long it takes. */
const MOST = { queue: 200, tick: 8, consumer: 2, shape: 1, unsettled: 1 } as const

type Part = keyof typeof MOST

/** What a server does by itself, only more often, so that a minute is worth several. */
const SETTINGS = { autovacuum: 'on', autovacuum_naptime: '5s', synchronous_commit: 'off' }

const SIZES = `
  SELECT CASE WHEN relname LIKE 'queue%' THEN 'queue' ELSE relname END AS part,
    sum(pg_total_relation_size(oid))::float8 AS bytes
  FROM pg_class
  WHERE relnamespace = 'rowtap'::regnamespace AND relkind = 'r'
    AND (relname ~ '^queue_[123]$' OR relname IN ('tick', 'consumer', 'shape', 'unsettled'))
  GROUP BY 1`

/**
 * How large the queue is while several clients write as fast as they can for a while and a subscription reads along: it is not
 * to grow with time, nor is anything that is kept beside it.
 */
export async function churnBenchmark(brief: boolean): Promise<void> {
  const seconds = brief ? 4 : 60
  await using server = await startPrivateServer(await postgresPrograms(), SETTINGS)
  await using database = await createDatabase(server)
  await database.query('CREATE TABLE public.orders (id bigint PRIMARY KEY, note text, total int)')
  await using client = await connect(triggerDriver({ connection: database.url }), { subscription: 'churn' })
  const orders = client.listen({ table: 'public.orders' })
  let handled = 0
  orders.on('change', () => void (handled += 1))
  await orders.ready

  const end = performance.now() + seconds * 1000
  const written = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(database.url, writer, end)))
  const quarters: ReadonlyMap<Part, number>[] = []
  for (let quarter = 1; quarter <= 4; quarter += 1) {
    quarters.push(await largestUntil(database, end - (seconds * 1000 * (4 - quarter)) / 4))
  }
  const changes = (await written).reduce((sum, count) => sum + count)
  const writtenAt = performance.now()
  while (handled < changes) await pause(10)
  const late = performance.now() - writtenAt

  const parts = Object.keys(MOST) as readonly Part[]
  printTable(
    `${changes.toLocaleString('en')} changes in ${seconds} s, ${WRITERS} writers: the largest size in MB, by quarter`,
    ['', '1st', '2nd', '3rd', '4th'],
    parts.map((part) => [part, ...quarters.map((sizes) => ((sizes.get(part) ?? 0) / MEGABYTE).toFixed(2))]),
  )
  console.log(`The last change was handled ${Math.round(late)} ms after the last was written.`)
  for (const part of parts) {
    const most = Math.max(...quarters.map((sizes) => sizes.get(part) ?? 0))
    target(`churn, ${part}: MB`, most / MEGABYTE, 'at most', MOST[part])
  }
}

/** Inserts, updates and deletes rows, one each a transaction. Returns how many. */
async function write(url: string, writer: number, end: number): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  let count = 0
  for (let id = writer * 1_000_000_000; performance.now() < end; id += 1) {
    await client.query({ name: 'i', text: `INSERT INTO public.orders VALUES ($1, repeat('x', 200), 0)`, values: [id] })
    await client.query({ name: 'u', text: 'UPDATE public.orders SET total = total + 1 WHERE id = $1', values: [id] })
    await client.query({ name: 'd', text: 'DELETE FROM public.orders WHERE id = $1', values: [id] })
    count += 3
  }
  await client.end()
  return count
}

/** How large each part was at most, until some time. */
async function largestUntil(database: BenchDatabase, end: number): Promise<ReadonlyMap<Part, number>> {
  const largest = new Map<Part, number>()
  while (performance.now() < end) {
    for (const { part, bytes } of await database.query(SIZES)) {
      largest.set(part as Part, Math.max(largest.get(part as Part) ?? 0, Number(bytes)))
    }
    await pause(SAMPLE_MS)
  }
  return largest
}
