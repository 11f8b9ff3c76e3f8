import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { startPostgres } from '@rowtap/driver-testkit'
import type { ConsumerResult } from './consumer.ts'

const program = fileURLToPath(new URL('consumer.ts', import.meta.url))

const ROWS = 10_000_000
const BRIEF_ROWS = 50_000
/** What a consumer may take, however large the transaction is; with streaming, its buffer comes on top. */
const LIMIT_BYTES = { off: 200_000_000, on: 200_000_000 + 64 * 1024 * 1024 }

const TABLE = `
CREATE TABLE public.large (
  id bigint PRIMARY KEY,
  customer_id int NOT NULL,
  status text NOT NULL,
  total numeric(12, 2) NOT NULL,
  created_at timestamptz NOT NULL,
  note text
)`

const FILL = `
INSERT INTO public.large
SELECT i, i % 10000, 'paid', i % 1000000 / 100.0, now(), 'a note of the order ' || i
FROM generate_series(1, $1::bigint) AS i`

/**
 * One transaction of ten million rows (brief: 50,000), to a consumer in a process of its own: prints the memory
 * that the consumer took at most. Fails where that is too much.
 */
export async function largeBenchmark(brief: boolean): Promise<void> {
  const rows = brief ? BRIEF_ROWS : ROWS
  await using server = await startPostgres()
  console.log(`Node ${process.versions.node}, PostgreSQL ${server.version}. One transaction of ${count(rows)} inserts.`)
  console.log(row(['streaming', 'peak RSS MB', 'idle RSS MB', 'rows a second', 'after commit s', 'CPU s']))
  for (const streaming of ['off', 'on'] as const) {
    await using database = await server.createDatabase()
    await database.query(TABLE)
    const result = await run(database, streaming, rows)
    console.log(
      row([
        streaming,
        megabytes(result.peakRssBytes),
        megabytes(result.idleRssBytes),
        count(Math.round(result.rows / result.deliverySeconds)),
        result.afterCommitSeconds.toFixed(1),
        result.cpuSeconds.toFixed(1),
      ]),
    )
    if (result.peakRssBytes > LIMIT_BYTES[streaming]) {
      console.error(`The consumer took more than ${megabytes(LIMIT_BYTES[streaming])} MB.`)
      process.exitCode = 1
    }
  }
}

interface Result extends ConsumerResult {
  /** From the end of the transaction to the last change. */
  readonly afterCommitSeconds: number
}

async function run(database: TestDatabase, streaming: 'on' | 'off', rows: number): Promise<Result> {
  const consumer = spawn(process.execPath, [program, streaming, String(rows)], {
    env: { ...process.env, DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(consumer, 'exit')
  let result: Result | null = null
  let committed = 0
  try {
    for await (const line of createInterface({ input: consumer.stdout })) {
      if (line === 'ready') {
        await database.query(FILL, [rows])
        committed = performance.now()
      } else {
        const afterCommitSeconds = (performance.now() - committed) / 1000
        result = { ...(JSON.parse(line) as ConsumerResult), afterCommitSeconds }
      }
    }
    await exited
  } finally {
    consumer.kill()
  }
  if (result === null) throw new Error('The consumer ended before it had seen every row.')
  return result
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(0)
}

function count(number: number): string {
  return number.toLocaleString('en')
}

function row(cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(16)).join('')
}
