import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measured } from '../dispatch/median.ts'
import { DELAYED_PEERS, measureDelay } from './delay.ts'
import type { Delay } from './delay.ts'
import type { Peer, Reading } from './peer.ts'
import { peersOf } from './peer.ts'
import { postgresPrograms, programsMissing } from './postgres-programs.ts'
import { startPrivateServer } from './private-server.ts'
import type { PeerSummary, WalReport } from './report.ts'
import { loadLine, printDelays, printSlow, printWorkload, summary, surroundingsLine } from './report.ts'
import { readSlowly, SLOW_PEERS } from './slow-handler.ts'
import type { Surroundings } from './throughput.ts'
import { readWorkload } from './throughput.ts'
import type { Workload } from './workload.ts'
import { manyTransactions, oneTransaction, wideTransaction } from './workload.ts'

interface Sizes {
  readonly rounds: number
  /** Whether updates and deletes are measured, too. */
  readonly everyOperation: boolean
  readonly rows: number
  readonly transactions: number
  readonly wideRows: number
  readonly delaySeconds: number
  readonly slowSeconds: number
}

const FULL: Sizes = {
  rounds: 3,
  everyOperation: true,
  rows: 1_000_000,
  transactions: 100_000,
  wideRows: 1_000_000,
  delaySeconds: 30,
  slowSeconds: 60,
}
const BRIEF: Sizes = {
  rounds: 1,
  everyOperation: false,
  rows: 5000,
  transactions: 1000,
  wideRows: 1000,
  delaySeconds: 1,
  slowSeconds: 1,
}

/**
 * Has rowtap and its peers read the same workloads, in turn, on one server. Every peer is a process of its own. Prints
 * tables, and at the end all of it as JSON.
 *
 * `ROWTAP_BENCH_ROUNDS` says how often everything is measured (default: 3; brief: 1). The brief one is there to see that it
 * works: it measures inserts alone, and does without PostgreSQL's programs where they are not there.
 */
export async function walBenchmark(brief: boolean): Promise<void> {
  const sizes = sizesOf(brief)
  const programs = await postgresPrograms()
  if (programs === null && !brief) throw programsMissing()
  const cache = await mkdtemp(join(tmpdir(), 'rowtap-bench-cache-'))
  // Without it each process would hold the compiler that takes the types away.
  process.env['NODE_COMPILE_CACHE'] = cache
  try {
    await using server = await startPrivateServer(programs)
    const surroundings = { server, programs }
    console.log(surroundingsLine(server.version))
    if (programs === null)
      console.log('Left out, for want of PostgreSQL’s programs: pg_recvlogical, and the delays (pgbench).')
    const report: WalReport = {
      node: process.versions.node,
      postgres: server.version,
      processor: surroundingsLine(server.version),
      workloads: await throughput(surroundings, sizes),
      delaysMs: await delays(surroundings, sizes),
      slowHandler: await slowHandlers(surroundings, sizes),
    }
    console.log(`\n${JSON.stringify(report)}`)
    const file = process.env['ROWTAP_BENCH_JSON']
    if (file !== undefined) await writeFile(file, JSON.stringify(report, null, 2))
  } finally {
    await rm(cache, { recursive: true, force: true })
  }
}

function sizesOf(brief: boolean): Sizes {
  const sizes = brief ? BRIEF : FULL
  const rounds = Number(process.env['ROWTAP_BENCH_ROUNDS'] ?? sizes.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('ROWTAP_BENCH_ROUNDS is a whole number from 1 on.')
  return { ...sizes, rounds }
}

async function throughput(surroundings: Surroundings, sizes: Sizes): Promise<WalReport['workloads']> {
  const operations = sizes.everyOperation ? 3 : 1
  const workloads: readonly Workload[] = [
    ...oneTransaction(sizes.rows).slice(0, operations),
    ...manyTransactions(sizes.transactions).slice(0, operations),
    wideTransaction(sizes.wideRows),
  ]
  const results: WalReport['workloads'][number][] = []
  for (const workload of workloads) {
    const peers = peersOf(workload.table).filter((peer) => peer !== 'pg_recvlogical' || surroundings.programs !== null)
    const readings = new Map<Peer, Reading[]>(peers.map((peer) => [peer, []]))
    for (let round = 0; round < sizes.rounds; round += 1) {
      const read = await readWorkload(surroundings, workload, rotated(peers, round))
      for (const [peer, reading] of read) readings.get(peer)?.push(reading)
    }
    const summaries = peers.map((peer): PeerSummary => summary(peer, workload.rows, readings.get(peer) ?? []))
    printWorkload(workload, summaries)
    results.push({ name: workload.name, rows: workload.rows, load: Number(loadLine().slice(5)), peers: summaries })
  }
  return results
}

async function delays(
  { server, programs }: Surroundings,
  { rounds, delaySeconds }: Sizes,
): Promise<WalReport['delaysMs']> {
  if (programs === null) return []
  const all = new Map<string, Delay[]>()
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of rotated(DELAYED_PEERS, round)) {
      const delay = await measureDelay({ server, pgbench: programs.pgbench }, peer, delaySeconds)
      all.set(peer, [...(all.get(peer) ?? []), delay])
    }
  }
  const medians = DELAYED_PEERS.map((peer) => ({
    peer,
    p50: measured((all.get(peer) ?? []).map(({ p50 }) => p50)).median,
    p99: measured((all.get(peer) ?? []).map(({ p99 }) => p99)).median,
  }))
  printDelays(medians)
  return medians
}

async function slowHandlers(
  surroundings: Surroundings,
  { rows, slowSeconds }: Sizes,
): Promise<WalReport['slowHandler']> {
  const results: WalReport['slowHandler'][number][] = []
  for (const peer of SLOW_PEERS) {
    results.push({ peer, ...(await readSlowly(surroundings, peer, { rows, seconds: slowSeconds })) })
  }
  printSlow(results, rows)
  return results
}

/** Another one begins in each round: what the machine does besides is not always at the cost of the same. */
function rotated<T>(peers: readonly T[], round: number): readonly T[] {
  const start = round % peers.length
  return [...peers.slice(start), ...peers.slice(0, start)]
}
