/*
 * A program with a subscription, for tests that kill it: it prints `live`, then the first column and the id of each
 * change, and acknowledges changes up to a number.
 */
import { walDriver } from '../wal-driver.ts'
import { testHost, wanted } from './test-session.ts'

const acknowledged = Number(process.env['ROWTAP_TEST_ACKNOWLEDGED'])
const driver = walDriver({ connection: process.env['ROWTAP_TEST_URL'] ?? '' })
const session = await driver.open(testHost({ name: 'billing' }))
await session.capture([wanted('t')])
process.stdout.write('live\n')
for await (const batch of session.batches()) {
  for (const change of batch.changes) {
    const number = Number(change.new?.text(0))
    process.stdout.write(`${number} ${change.id}\n`)
    if (number <= acknowledged) session.acknowledge(change.position)
  }
}
