/*
 * A program with a subscription and a listener without rows, for tests that kill it: it prints `live`, and at each signal how
 * many rows the table has by then, as a cache would read it again.
 */
import { connect } from '@rowtap/core'
import pg from 'pg'
import { triggerDriver } from '../trigger-driver.ts'

const url = process.env['ROWTAP_TEST_URL'] ?? ''
const reader = new pg.Client(url)
await reader.connect()
const client = await connect(triggerDriver({ connection: url }), { subscription: 'cache' })
const listener = client.listen({ table: 't', rows: false })
listener.on('signal', async () => {
  const { rows } = await reader.query<{ count: number }>('SELECT count(*)::int AS count FROM t')
  process.stdout.write(`${rows[0]?.count}\n`)
})
await listener.ready
process.stdout.write('live\n')
