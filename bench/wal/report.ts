import { cpus, loadavg } from 'node:os'
import { measured } from '../dispatch/median.ts'
import type { Delay, DelayedPeer } from './delay.ts'
import type { Peer, Reading } from './peer.ts'
import type { SlowPeer, SlowResult } from './slow-handler.ts'
import type { Workload } from './workload.ts'

/** The medians of what one peer took to read a workload. */
export interface PeerSummary {
  readonly peer: Peer
  readonly rowsPerSecond: number
  readonly cpuUsPerRow: number
  /** Of the server's process that sends; `null` where that is not known. */
  readonly senderCpuUsPerRow: number | null
  readonly peakRssMegabytes: number
}

/** All that was measured. */
export interface WalReport {
  readonly node: string
  readonly postgres: string
  readonly processor: string
  readonly workloads: readonly {
    readonly name: string
    readonly rows: number
    readonly load: number
    readonly peers: readonly PeerSummary[]
  }[]
  readonly delaysMs: readonly ({ readonly peer: DelayedPeer } & Delay)[]
  readonly slowHandler: readonly ({ readonly peer: SlowPeer } & SlowResult)[]
}

/** The medians of several readings of one workload. */
export function summary(peer: Peer, rows: number, readings: readonly Reading[]): PeerSummary {
  const median = (of: (reading: Reading) => number): number => measured(readings.map(of)).median
  const senders = readings.flatMap(({ senderCpuSeconds }) => senderCpuSeconds ?? [])
  return {
    peer,
    rowsPerSecond: Math.round(median(({ seconds }) => rows / seconds)),
    cpuUsPerRow: median(({ cpuSeconds }) => (cpuSeconds / rows) * 1e6),
    senderCpuUsPerRow: senders.length === 0 ? null : (measured(senders).median / rows) * 1e6,
    peakRssMegabytes: median(({ peakRssBytes }) => peakRssBytes / 1e6),
  }
}

/** The processor, and how busy the machine is besides. */
export function surroundingsLine(postgres: string): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `Node ${process.versions.node}, PostgreSQL ${postgres}, ${cpus().length} × ${model}; ${loadLine()}.`
}

/** How many processes wanted a processor during the last minute. */
export function loadLine(): string {
  return `load ${(loadavg()[0] ?? 0).toFixed(1)}`
}

/** Prints the readings of one workload. */
export function printWorkload({ name, rows }: Workload, peers: readonly PeerSummary[]): void {
  console.log(`\n${name}, ${rows.toLocaleString('en')} rows (${loadLine()})`)
  console.log(row(['', 'rows a second', 'CPU µs a row', 'sender µs a row', 'peak RSS MB']))
  for (const { peer, rowsPerSecond, cpuUsPerRow, senderCpuUsPerRow, peakRssMegabytes } of peers) {
    console.log(
      row([
        peer,
        rowsPerSecond.toLocaleString('en'),
        cpuUsPerRow.toFixed(2),
        senderCpuUsPerRow?.toFixed(2) ?? '',
        peakRssMegabytes.toFixed(0),
      ]),
    )
  }
}

/** Prints the delays. */
export function printDelays(delays: WalReport['delaysMs']): void {
  console.log(`\nFrom the insert to the handler, 1,000 changes a second (${loadLine()})`)
  console.log(row(['', 'p50 ms', 'p99 ms']))
  for (const { peer, p50, p99 } of delays) console.log(row([peer, p50.toFixed(2), p99.toFixed(2)]))
}

/** Prints what a slow handler costs. */
export function printSlow(results: WalReport['slowHandler'], rows: number): void {
  console.log(`\nA handler of 10 ms, ${rows.toLocaleString('en')} rows waiting`)
  console.log(row(['', 'handled', 'idle RSS MB', 'peak RSS MB']))
  for (const { peer, handled, idleRssBytes, peakRssBytes } of results) {
    console.log(row([peer, String(handled), (idleRssBytes / 1e6).toFixed(0), (peakRssBytes / 1e6).toFixed(0)]))
  }
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(40) : cell.padStart(17))).join('')
}
