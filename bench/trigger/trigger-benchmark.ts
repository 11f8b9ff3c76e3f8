import { setTimeout as pause } from 'node:timers/promises'
import { measured } from '../dispatch/median.ts'
import type { BenchDatabase } from '../wal/bench-database.ts'
import { createDatabase } from '../wal/bench-database.ts'
import { postgresPrograms, programsMissing } from '../wal/postgres-programs.ts'
import { startPrivateServer } from '../wal/private-server.ts'
import { surroundingsLine } from '../wal/report.ts'
import { processCpuSeconds } from './process-cpu.ts'
import type { Consumer } from './consumer-process.ts'
import { startConsumer } from './consumer-process.ts'
import type { TriggerReport } from './print.ts'
import { percentile, report, save, target } from './print.ts'
import type { SingleRow, Variant } from './variants.ts'
import { MANY_ROWS, singleRowsOf, tableOf, VARIANTS } from './variants.ts'
import { writeRate } from './write-rates.ts'

/** What is measured, and for how long. */
interface Extent {
  readonly rounds: number
  /** How many rows there are at the beginning. */
  readonly rows: number
  readonly statements: number
  readonly seconds: number
  readonly largeRows: number
  readonly backlogSeconds: number
  readonly delays: number
}

const FULL: Extent = {
  rounds: 5,
  rows: 1_000_000,
  statements: 100,
  seconds: 5,
  largeRows: 1_000_000,
  backlogSeconds: 15,
  delays: 400,
}
const BRIEF: Extent = {
  rounds: 1,
  rows: 200_000,
  statements: 5,
  seconds: 1,
  largeRows: 20_000,
  backlogSeconds: 1,
  delays: 20,
}
const MANY = 1000

/** A server as in production, as far as that goes on one machine. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  autovacuum: 'on',
  wal_level: 'replica',
}

interface Subject {
  readonly variant: Variant
  readonly database: BenchDatabase
  readonly consumer: Consumer | null
}

const OPERATIONS = ['insert', 'update', 'delete'] as const satisfies readonly SingleRow[]

/**
 * What capturing with triggers costs writers, beside a row trigger that sends the row with `pg_notify`, one that writes it
 * into a table with a NOTIFY, and no trigger; how fast a backlog is drained; and how late changes arrive. The brief one is
 * there to see that it works, and does without PostgreSQL's programs where they are not there.
 */
export async function triggerBenchmark(brief: boolean): Promise<void> {
  const extent = brief ? BRIEF : FULL
  const programs = await postgresPrograms()
  if (programs === null && !brief) throw programsMissing()
  const pgbench = programs?.pgbench ?? null
  await using server = await startPrivateServer(programs, SETTINGS)
  const result: TriggerReport = { surroundings: surroundingsLine(server.version), tables: [] }
  console.log(`${result.surroundings} synchronous_commit = on.`)
  if (pgbench === null) console.log('Left out, for want of pgbench: everything of transactions of one row.')
  await using stack = new AsyncDisposableStack()
  const subjects: Subject[] = []
  for (const variant of VARIANTS) {
    const database = stack.use(await createDatabase(server))
    await database.query(tableOf(extent.rows))
    await database.query('VACUUM ANALYZE public.orders')
    if (variant.setup !== '') await database.query(variant.setup)
    const consumer = variant.isRead ? stack.use(await startConsumer(variant.name, database.url)) : null
    subjects.push({ variant, database, consumer })
  }
  if (pgbench !== null) await singleRows(result, subjects, pgbench, extent)
  await manyRows(result, subjects, MANY, extent.statements, extent)
  await manyRows(result, subjects, extent.largeRows, 1, extent)
  const ours = subjects.find(({ variant }) => variant.name === 'rowtap')
  if (ours === undefined) return
  await drain(result, ours, pgbench, extent)
  await delay(result, ours, { name: 'idle', count: extent.delays, everyMs: 150 })
  await delay(result, ours, { name: '1,000 changes a second', count: extent.delays * 25, everyMs: 1 })
  await save(result)
}

/** Transactions of one row a second, with 16 clients, the consumer attached. */
async function singleRows(
  result: TriggerReport,
  subjects: readonly Subject[],
  pgbench: string,
  extent: Extent,
): Promise<void> {
  const rates = new Map<string, number[]>()
  for (let round = 0; round < extent.rounds; round += 1) {
    for (const operation of OPERATIONS) {
      for (const { variant, database, consumer } of subjects) {
        const { rate, transactions } = await writeRate(
          pgbench,
          database.url,
          singleRowsOf(extent.rows)[operation],
          extent.seconds,
        )
        await consumer?.go(transactions)
        const key = `${operation} ${variant.name}`
        rates.set(key, [...(rates.get(key) ?? []), rate])
      }
    }
  }
  const median = (operation: string, name: string): number => measured(rates.get(`${operation} ${name}`) ?? []).median
  report(
    result,
    'transactions of one row a second, 16 clients',
    ['', ...subjects.map(({ variant }) => variant.name), 'of uncaptured', 'of pg_notify'],
    OPERATIONS.map((operation) => [
      operation,
      ...subjects.map(({ variant }) => Math.round(median(operation, variant.name)).toLocaleString('en')),
      (median(operation, 'rowtap') / median(operation, 'uncaptured')).toFixed(2),
      (median(operation, 'rowtap') / median(operation, 'pg_notify')).toFixed(2),
    ]),
  )
  for (const operation of OPERATIONS) {
    const ours = median(operation, 'rowtap')
    target(`${operation}: share of uncaptured`, ours / median(operation, 'uncaptured'), 'at least', 0.75)
    target(`${operation}: times pg_notify`, ours / median(operation, 'pg_notify'), 'at least', 2.5)
  }
}

/** How long statements of many rows take, as a multiple of uncaptured ones. */
async function manyRows(
  result: TriggerReport,
  subjects: readonly Subject[],
  rows: number,
  statements: number,
  extent: Extent,
): Promise<void> {
  const compared = subjects.filter(({ variant }) => rows <= MANY || variant.name !== 'pg_notify')
  const times = new Map<string, number[]>()
  const cpu = new Map<string, number[]>()
  for (let round = 0; round < Math.min(extent.rounds, 3); round += 1) {
    for (const operation of OPERATIONS) {
      for (const { variant, database, consumer } of compared) {
        const [backend] = await database.query('SELECT pg_backend_pid() AS pid')
        const pid = Number(backend?.['pid'])
        const cpuBefore = await processCpuSeconds(pid)
        const start = performance.now()
        for (let index = 0; index < statements; index += 1) {
          await database.query(MANY_ROWS[operation], [rows, 2_000_001 + index * rows])
        }
        const key = `${operation} ${variant.name}`
        times.set(key, [...(times.get(key) ?? []), (performance.now() - start) / 1000])
        cpu.set(key, [...(cpu.get(key) ?? []), (await processCpuSeconds(pid)) - cpuBefore])
        await consumer?.go(rows * statements)
      }
    }
  }
  const ratio = (of: ReadonlyMap<string, readonly number[]>, operation: string, name: string): number =>
    measured(of.get(`${operation} ${name}`) ?? []).median / measured(of.get(`${operation} uncaptured`) ?? []).median
  const what = `${statements === 1 ? 'one statement' : 'statements'} of ${rows.toLocaleString('en')} rows`
  report(
    result,
    `${what}: time (and the server's CPU time) as a multiple of uncaptured`,
    ['', ...compared.map(({ variant }) => variant.name)],
    OPERATIONS.map((operation) => [
      operation,
      ...compared.map(
        ({ variant }) =>
          `${ratio(times, operation, variant.name).toFixed(2)} (${ratio(cpu, operation, variant.name).toFixed(2)})`,
      ),
    ]),
  )
  for (const operation of OPERATIONS) {
    target(`${what}, ${operation}: times uncaptured`, ratio(times, operation, 'rowtap'), 'at most', 3)
  }
}

/** How fast a backlog is taken. */
async function drain(
  result: TriggerReport,
  { database, consumer }: Subject,
  pgbench: string | null,
  extent: Extent,
): Promise<void> {
  if (consumer === null) return
  const results: (readonly string[])[] = []
  const take = async (name: string, changes: number): Promise<void> => {
    const { seconds, cpuSeconds, peakRssBytes } = await consumer.go(changes)
    const rate = changes / seconds
    results.push([
      name,
      changes.toLocaleString('en'),
      Math.round(rate).toLocaleString('en'),
      ((cpuSeconds * 1_000_000) / changes).toFixed(2),
      Math.round(peakRssBytes / 1_000_000).toString(),
    ])
    target(`drain ${name}: changes a second`, rate, 'at least', 250_000)
    target(`drain ${name}: memory in MB`, peakRssBytes / 1_000_000, 'at most', 200)
  }
  await consumer.hold()
  for (const operation of OPERATIONS) await database.query(MANY_ROWS[operation], [extent.largeRows, 2_000_001])
  await take('of large statements', 3 * extent.largeRows)
  if (pgbench !== null) {
    await consumer.hold()
    const insert = singleRowsOf(extent.rows).insert
    const { transactions } = await writeRate(pgbench, database.url, insert, extent.backlogSeconds)
    await take('of transactions of one row', transactions)
  }
  report(result, 'a backlog', ['', 'changes', 'changes a second', 'client µs a change', 'peak RSS MB'], results)
}

/** How late changes arrive that are made one by one. */
async function delay(
  result: TriggerReport,
  { database, consumer }: Subject,
  { name, count, everyMs }: { readonly name: string; readonly count: number; readonly everyMs: number },
): Promise<void> {
  if (consumer === null) return
  const start = performance.now()
  for (let index = 0; index < count; index += 1) {
    const wait = start + index * everyMs - performance.now()
    if (wait > 0.5) await pause(wait)
    await database.query(
      `INSERT INTO public.orders (customer, status, total, note, sent_at) VALUES (1, 'paid', 1, 'late', $1)`,
      [performance.timeOrigin + performance.now()],
    )
  }
  const { delaysMs } = await consumer.go(count)
  const [p50, p99] = [percentile(delaysMs, 0.5), percentile(delaysMs, 0.99)]
  report(result, `delay, ${name} (from before the statement)`, ['p50 ms', 'p99 ms'], [[p50.toFixed(1), p99.toFixed(1)]])
  target(`delay ${name}: p50 ms`, p50, 'at most', 5)
  target(`delay ${name}: p99 ms`, p99, 'at most', 25)
}
