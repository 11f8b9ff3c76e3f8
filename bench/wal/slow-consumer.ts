/**
 * Reads with a handler of ten milliseconds: `node slow-consumer.ts <options as JSON>`. Prints `ready` with the first
 * change, and the memory that the process had at most, as JSON, when its time is over.
 */
import { connect } from '@rowtap/core'
import { walDriver } from '@rowtap/driver-wal'
import { setTimeout as sleep } from 'node:timers/promises'
import pgLogicalReplication from 'pg-logical-replication'
import type { SlowOptions, SlowResult } from './slow-handler.ts'

const { kind, url, slot, publication, seconds } = JSON.parse(process.argv[2] ?? '') as SlowOptions
const idleRssBytes = process.resourceUsage().maxRSS * 1024
let handled = 0
if (kind === 'rowtap') await listen()
else subscribe()
await sleep(seconds * 1000)
const result: SlowResult = { handled, idleRssBytes, peakRssBytes: process.resourceUsage().maxRSS * 1024 }
process.stdout.write(`${JSON.stringify(result)}\n`)

async function handle(): Promise<void> {
  await sleep(10)
  handled += 1
  if (handled === 1) process.stdout.write('ready\n')
}

async function listen(): Promise<void> {
  const client = await connect(walDriver({ connection: url }), { subscription: slot })
  const rows = client.listen({ table: 'public.narrow' })
  rows.on('change', handle)
  client.listen({ table: 'public.marker', operations: ['insert'] }).on('change', () => undefined)
  await rows.ready
}

function subscribe(): void {
  const service = new pgLogicalReplication.LogicalReplicationService(
    { connectionString: url },
    { acknowledge: { auto: false, timeoutSeconds: 0 } },
  )
  service.on('data', handle)
  const plugin = new pgLogicalReplication.PgoutputPlugin({ protoVersion: 1, publicationNames: [publication] })
  service.subscribe(plugin, slot).catch((error: unknown) => service.emit('error', error))
}
