import { readFile } from 'node:fs/promises'

/** What `pnpm bench wal` writes, as far as it is shown. */
interface WalMeasurement {
  readonly processor: string
  readonly workloads: readonly {
    readonly name: string
    readonly rows: number
    readonly load: number
    readonly peers: readonly {
      readonly peer: string
      readonly rowsPerSecond: number
      readonly cpuUsPerRow: number
      readonly peakRssMegabytes: number
    }[]
  }[]
  readonly delaysMs: readonly { readonly peer: string; readonly p50: number; readonly p99: number }[]
  readonly slowHandler: readonly {
    readonly peer: string
    readonly handled: number
    readonly idleRssBytes: number
    readonly peakRssBytes: number
  }[]
}

const PEERS = [
  'rowtap',
  'rowtap, nothing wanted',
  'rowtap, 2 of 20 columns',
  'pg_recvlogical',
  'pg-logical-replication',
  'pg-logical-replication, acknowledging',
  'postgres.js',
] as const

type Workload = WalMeasurement['workloads'][number]
type Shown = (peer: Workload['peers'][number]) => string

/** What `pnpm bench trigger` and `pnpm bench cost` write. */
interface TriggerMeasurement {
  readonly surroundings: string
  readonly tables: readonly {
    readonly heading: string
    readonly head: readonly string[]
    readonly rows: readonly (readonly string[])[]
  }[]
}

/** The tables of one run of `pnpm bench trigger`, or of `pnpm bench cost`, from the file that it wrote. */
export async function triggerSpeedMarkdown(file: URL): Promise<string> {
  // The file is the benchmark's own.
  const { surroundings, tables } = JSON.parse(await readFile(file, 'utf8')) as TriggerMeasurement
  const shown = tables.map(({ heading, head, rows }) => {
    const title = heading.startsWith('µs') ? heading : `${heading.charAt(0).toUpperCase()}${heading.slice(1)}`
    return `${title}:\n\n${table(head, rows)}`
  })
  return [surroundings, ...shown].join('\n\n')
}

/** The tables of one run of `pnpm bench wal`, from the file that it wrote. */
export async function walSpeedMarkdown(file: URL): Promise<string> {
  // The file is the benchmark's own.
  const measured = JSON.parse(await readFile(file, 'utf8')) as WalMeasurement
  const loads = measured.workloads.map(({ load }) => load)
  const tables = [
    byWorkload('Processor time, µs a row', measured, ({ cpuUsPerRow }) => cpuUsPerRow.toFixed(2)),
    byWorkload('Rows a second, in thousands', measured, ({ rowsPerSecond }) => (rowsPerSecond / 1000).toFixed(0)),
    byWorkload('Peak resident memory, MB', measured, ({ peakRssMegabytes }) => peakRssMegabytes.toFixed(0)),
    `Delay from the insert to the handler, ms:\n\n${table(
      ['', ...measured.delaysMs.map(({ peer }) => peer)],
      [
        ['p50', ...measured.delaysMs.map(({ p50 }) => p50.toFixed(2))],
        ['p99', ...measured.delaysMs.map(({ p99 }) => p99.toFixed(2))],
      ],
    )}`,
    `A handler of 10 ms, and a million rows waiting, for a minute:\n\n${table(
      ['', 'handled', 'MB before it connected', 'MB at most'],
      measured.slowHandler.map(({ peer, handled, idleRssBytes, peakRssBytes }) => [
        peer,
        handled.toLocaleString('en'),
        (idleRssBytes / 1e6).toFixed(0),
        (peakRssBytes / 1e6).toFixed(0),
      ]),
    )}`,
  ]
  const load = `Load while it ran: ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}.`
  return [`${measured.processor} ${load}`, ...tables].join('\n\n')
}

function byWorkload(title: string, { workloads }: WalMeasurement, shown: Shown): string {
  const present = PEERS.filter((name) => workloads.some(({ peers }) => peers.some(({ peer }) => peer === name)))
  const rows = workloads.map(({ name, rows: count, peers }) => [
    `${name}, ${count.toLocaleString('en')}`,
    ...present.map((wanted) => {
      const found = peers.find(({ peer }) => peer === wanted)
      return found === undefined ? '' : shown(found)
    }),
  ])
  return `${title}:\n\n${table(['', ...present], rows)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
