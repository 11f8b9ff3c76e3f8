/**
 * Hears of what happens to `public.orders` of the database in `DATABASE_URL`, in the way of the variant that is its first
 * argument. Prints `ready`; then answers each line on its standard input:
 *
 * - `hold`: takes no more changes. Answers at once.
 * - `go <n>`: goes on, and answers with a {@link Report} when it has taken n changes since the last report.
 */
import { createInterface } from 'node:readline'
import { connect } from '@rowtap/core'
import { triggerDriver } from '@rowtap/driver-trigger'
import pg from 'pg'

/** What a consumer did since it was last asked. */
export interface Report {
  readonly changes: number
  /** From `go` to the last change. */
  readonly seconds: number
  readonly cpuSeconds: number
  /** The greatest amount of memory that the process ever had. */
  readonly peakRssBytes: number
  /** Between a row's `sent_at` and its arrival, for rows that have one, in milliseconds. */
  readonly delaysMs: readonly number[]
}

const variant = process.argv[2] ?? ''
const url = process.env['DATABASE_URL'] ?? ''

let changes = 0
let wanted = Number.POSITIVE_INFINITY
let startedAt = 0
let cpu = process.cpuUsage()
let delaysMs: number[] = []
let gate: Promise<void> | null = null
let open: () => void = () => {}

function report(): void {
  const { user, system } = process.cpuUsage(cpu)
  const peakRssBytes = process.resourceUsage().maxRSS * 1024
  const seconds = (performance.now() - startedAt) / 1000
  const result: Report = { changes, seconds, cpuSeconds: (user + system) / 1_000_000, peakRssBytes, delaysMs }
  process.stdout.write(`${JSON.stringify(result)}\n`)
  changes = 0
  delaysMs = []
  wanted = Number.POSITIVE_INFINITY
}

function take(sentAt: unknown): void {
  if (typeof sentAt === 'number' && sentAt > 0) delaysMs.push(performance.timeOrigin + performance.now() - sentAt)
  changes += 1
  if (changes >= wanted) report()
}

if (variant === 'rowtap') {
  const client = await connect(triggerDriver({ connection: url }))
  const orders = client.listen<{ readonly sent_at: number }>({ table: 'public.orders' })
  orders.on('change', (event) => {
    take('new' in event && event.new !== null ? event.new.sent_at : null)
    return gate ?? undefined
  })
  await orders.ready
} else {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  let fetching = false
  let isMore = false
  const fetchWhile = async (): Promise<void> => {
    fetching = true
    while (isMore) {
      isMore = false
      await fetchAll(client)
    }
    fetching = false
  }
  client.on('notification', ({ payload }) => {
    if (variant === 'pg_notify')
      take((JSON.parse(payload ?? 'null') as { new: { sent_at: number } | null }).new?.sent_at)
    else {
      isMore = true
      if (!fetching) void fetchWhile()
    }
  })
  await client.query('LISTEN orders')
}

async function fetchAll(client: pg.Client): Promise<void> {
  for (let more = true; more;) {
    const { rows } = await client.query<{ new: { sent_at: number } | null }>(
      `DELETE FROM public.changes WHERE id IN (SELECT id FROM public.changes ORDER BY id LIMIT 2000) RETURNING new`,
    )
    for (const row of rows) take(row.new?.sent_at)
    more = rows.length > 0
  }
}

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = line.split(' ')
  if (command === 'hold') {
    gate = new Promise((resolve) => (open = resolve))
    process.stdout.write('{}\n')
  } else {
    startedAt = performance.now()
    cpu = process.cpuUsage()
    wanted = Number(argument)
    gate = null
    open()
    if (changes >= wanted) report()
  }
}
process.exit(0)
