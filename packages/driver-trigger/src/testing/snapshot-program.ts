/*
 * A program with a subscription and a snapshot, for tests that kill it: it prints each event as JSON, and `done` when the
 * last row is handled. With the first row after a number of events it handles nothing any more.
 */
import type { Driver } from '@rowtap/core'
import { connect } from '@rowtap/core'
import { triggerDriver } from '../trigger-driver.ts'

const driver: Driver = triggerDriver({ connection: process.env['ROWTAP_TEST_URL'] ?? '' })
const client = await connect(driver, { subscription: 'snapshot' })
const listener = client.listen({ table: 't', snapshot: 'initial', bufferBytes: 200_000 })
let left = Number(process.env['ROWTAP_TEST_EVENTS'])
listener.on('change', async ({ kind, key, new: row }) => {
  process.stdout.write(`${JSON.stringify([kind, key?.['id'], row?.['v']])}\n`)
  left -= 1
  if (left <= 0 && kind === 'snapshot') await new Promise(() => undefined)
})
await listener.snapshotDone
process.stdout.write('"done"\n')
