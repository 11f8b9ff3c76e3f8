/*
 * A program with a subscription, for tests of what the next one is told: it prints `live`, and ends the moment that it is told
 * of a gap, as if it were killed.
 */
import { testHost, wanted } from './test-session.ts'
import { walDriver } from '../wal-driver.ts'

const driver = walDriver({ connection: process.env['ROWTAP_TEST_URL'] ?? '' })
const session = await driver.open({
  ...testHost({ name: 'billing' }),
  notify(notice) {
    if (notice.kind !== 'gap') return
    process.stdout.write('told\n')
    process.kill(process.pid, 'SIGKILL')
  },
})
await session.capture([wanted('t'), wanted('r')])
process.stdout.write('live\n')
for await (const batch of session.batches()) {
  const last = batch.changes.at(-1)
  if (last !== undefined) session.acknowledge(last.position)
}
