/**
 * Listens to the table `large` and counts: `node consumer.ts <streaming> <rows>`, with the database's URL in
 * `DATABASE_URL`. Prints `ready`, and when it has seen so many rows what that took, as JSON.
 */
import { connect } from '@rowtap/core'
import { walDriver } from '@rowtap/driver-wal'

/** What a consumer prints at its end. */
export interface ConsumerResult {
  readonly rows: number
  /** The greatest amount of memory that the process ever had, in bytes. */
  readonly peakRssBytes: number
  /** The same before the first change. */
  readonly idleRssBytes: number
  /** From the first change to the last. */
  readonly deliverySeconds: number
  readonly cpuSeconds: number
}

const streaming = process.argv[2] === 'on' ? 'on' : 'off'
const wanted = Number(process.argv[3])
const url = process.env['DATABASE_URL'] ?? ''

await using client = await connect(walDriver({ connection: url, streaming }))
const large = client.listen({ table: 'public.large', operations: ['insert'] })
const finished = Promise.withResolvers<ConsumerResult>()
let rows = 0
let first = 0
let idle = 0
large.on('insert', () => {
  rows += 1
  if (rows === 1) first = performance.now()
  if (rows < wanted) return
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  finished.resolve({
    rows,
    peakRssBytes: maxRSS * 1024,
    idleRssBytes: idle,
    deliverySeconds: (performance.now() - first) / 1000,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1_000_000,
  })
})
await large.ready
idle = process.resourceUsage().maxRSS * 1024
process.stdout.write('ready\n')
process.stdout.write(`${JSON.stringify(await finished.promise)}\n`)
