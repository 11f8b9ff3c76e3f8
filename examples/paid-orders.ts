import { once } from 'node:events'
import { connect } from '@rowtap/core'
import { triggerDriver } from '@rowtap/driver-trigger'
import { sql } from '@rowtap/sql'

interface Order {
  id: number
  status: string
  total: string
  urgent: boolean
}

await using client = await connect(triggerDriver({ connection: process.env['DATABASE_URL'] }))

const paid = client.listen<Order>({
  table: 'public.orders',
  where: { status: 'paid', total: { gte: 100 } },
})
paid.on('insert', (event) => console.log('into:', event.key.id, event.derivedFrom))
paid.on('update', (event) => console.log('inside:', event.key.id, event.changed))
paid.on('delete', (event) => console.log('out of:', event.key.id, event.derivedFrom))

const statuses = ['new', 'packed']
const hurry = client.listen<Order>({
  table: 'public.orders',
  where: sql`urgent AND status IN (${statuses})`,
  columns: ['id', 'total'], // an update that changes neither is not delivered
})
hurry.on('change', (event) => console.log('hurry:', event.kind, event.new))

await Promise.all([paid.ready, hurry.ready])
console.log('listening')

await once(process, 'SIGINT')
