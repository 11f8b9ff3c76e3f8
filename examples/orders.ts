import { once } from 'node:events'
import { connect } from '@rowtap/core'
import { walDriver } from '@rowtap/driver-wal'

interface Order {
  id: number
  status: string
  total: string
}

await using client = await connect(walDriver({ connection: process.env['DATABASE_URL'] }))

const orders = client.listen<Order>({
  table: 'public.orders',
  operations: ['insert', 'update', 'delete'], // default: all that the driver supports
  bufferBytes: 1024 * 1024, // default 4 MiB: more than this is not read ahead of the handlers
})

orders.on('insert', async (event) => {
  await bill(event.new)
})
orders.on('change', (event) => {
  console.log(event.kind, event.key, event.changed) // every kind
})

await orders.ready // from here on, no committed change is missed
console.log('listening')

await once(process, 'SIGINT') // the client is closed when the block is left: what is in flight is finished first

async function bill(order: Order): Promise<void> {
  console.log(`bill for order ${order.id}: ${order.total}`)
}
