import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDatabase } from './bench-database.ts'
import { startConsumer } from './consumer-process.ts'
import type { Surroundings } from './throughput.ts'

/** Who is told of a change. */
export type DelayedPeer = 'NOTIFY' | 'rowtap' | 'pg-logical-replication' | 'postgres.js'

/** What a process that measures delays is given. */
export interface DelayOptions {
  readonly kind: DelayedPeer
  readonly url: string
  readonly slot: string
  readonly publication: string
  /** How many changes there will be. */
  readonly changes: number
}

/** From the statement that writes to the handler, in milliseconds. */
export interface Delay {
  readonly p50: number
  readonly p99: number
}

/** In an order that has no peer always at the same place. */
export const DELAYED_PEERS: readonly DelayedPeer[] = ['NOTIFY', 'rowtap', 'pg-logical-replication', 'postgres.js']

const CHANGES_A_SECOND = 1000

const TABLE = `CREATE TABLE public.delays (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sent bigint NOT NULL)`
const NOW = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`

/** The same row and the same commit for everybody. */
const WRITES: Readonly<Record<DelayedPeer, string>> = {
  NOTIFY: `WITH row AS (INSERT INTO public.delays (sent) VALUES (${NOW}) RETURNING sent) SELECT pg_notify('bench', sent::text) FROM row;`,
  rowtap: `INSERT INTO public.delays (sent) VALUES (${NOW});`,
  'pg-logical-replication': `INSERT INTO public.delays (sent) VALUES (${NOW});`,
  'postgres.js': `INSERT INTO public.delays (sent) VALUES (${NOW});`,
}

/** Writes a thousand rows a second, each in a transaction of its own, and asks when they have arrived. */
export async function measureDelay(
  { server, pgbench }: Pick<Surroundings, 'server'> & { readonly pgbench: string },
  kind: DelayedPeer,
  seconds: number,
): Promise<Delay> {
  await using database = await createDatabase(server)
  await database.query(TABLE)
  await database.query('CREATE PUBLICATION bench FOR TABLE public.delays')
  await database.query(`SELECT pg_create_logical_replication_slot('bench_delay', 'pgoutput')`)
  const changes = seconds * CHANGES_A_SECOND
  const options: DelayOptions = { kind, url: database.url, slot: 'bench_delay', publication: 'bench', changes }
  await using consumer = startConsumer('delay-consumer.ts', options)
  await consumer.ready
  await writeAtRate(pgbench, database.url, WRITES[kind], changes)
  const delays = (await consumer.result) as readonly number[]
  return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) }
}

async function writeAtRate(pgbench: string, url: string, statement: string, changes: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'rowtap-bench-script-'))
  const script = join(directory, 'script.sql')
  try {
    await writeFile(script, statement)
    await chmod(script, 0o600)
    const rate = ['-R', String(CHANGES_A_SECOND), '-t', String(changes)]
    // Otherwise the server flushes a commit, and sends it, only when it next comes round to it.
    const environment = { ...process.env, PGOPTIONS: '-c synchronous_commit=on' }
    await promisify(execFile)(pgbench, ['-n', '-f', script, '-M', 'prepared', '-c', '1', ...rate, url], {
      env: environment,
    })
  } finally {
    await rm(directory, { recursive: true })
  }
}

function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN
}
