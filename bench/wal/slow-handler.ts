import { createDatabase } from './bench-database.ts'
import { startConsumer } from './consumer-process.ts'
import { prepareRowtap } from './consumers/rowtap-consumer.ts'
import type { Surroundings } from './throughput.ts'
import { MARKER_TABLE, oneTransaction } from './workload.ts'

/** Who reads with a slow handler. */
export type SlowPeer = 'rowtap' | 'pg-logical-replication'

/** Those that are measured. */
export const SLOW_PEERS: readonly SlowPeer[] = ['rowtap', 'pg-logical-replication']

/** What a process with a slow handler is given. */
export interface SlowOptions {
  readonly kind: SlowPeer
  readonly url: string
  readonly slot: string
  readonly publication: string
  /** How long it handles: it need not come to the end. */
  readonly seconds: number
}

/** What such a process prints. */
export interface SlowResult {
  readonly handled: number
  /** The memory that it had at most, before it connected and in all. */
  readonly idleRssBytes: number
  readonly peakRssBytes: number
}

/** Lets a peer read a backlog with a handler of ten milliseconds, for a while: how much memory does it take? */
export async function readSlowly(
  { server }: Surroundings,
  kind: SlowPeer,
  { rows, seconds }: { readonly rows: number; readonly seconds: number },
): Promise<SlowResult> {
  await using database = await createDatabase(server)
  await database.query(MARKER_TABLE)
  const [workload] = oneTransaction(rows)
  if (workload === undefined) throw new Error('There is no workload.')
  for (const sql of workload.setUp) await database.query(sql)
  await database.query('CREATE PUBLICATION bench FOR TABLE public.narrow')
  const slot = 'bench_slow'
  if (kind === 'rowtap') {
    await prepareRowtap({ kind, url: database.url, slot, rows, table: 'public.narrow', publication: 'bench' })
  } else {
    await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot])
  }
  for (const sql of workload.write) await database.query(sql)
  const options: SlowOptions = { kind, url: database.url, slot, publication: 'bench', seconds }
  await using consumer = startConsumer('slow-consumer.ts', options)
  return (await consumer.result) as SlowResult
}
