import type { Client, Listener } from '@rowtap/core'
import { connect } from '@rowtap/core'
import { walDriver } from '@rowtap/driver-wal'
import type { ConsumerOptions } from '../peer.ts'
import type { WorkloadClock } from './workload-clock.ts'

/** Reads with rowtap, a durable subscription that acknowledges: resolves when it does. */
export async function consumeWithRowtap(options: ConsumerOptions, clock: WorkloadClock): Promise<void> {
  const client = await connect(walDriver({ connection: options.url }), { subscription: options.slot })
  const markers = client.listen<{ id: number }>({ table: 'public.marker', operations: ['insert'] })
  markers.on('insert', async (event) => clock.marker(event.new.id))
  const rows = listen(client, options)
  rows.on('change', async () => clock.row())
  await Promise.all([markers.ready, rows.ready])
}

/** Makes the subscription: what is written from then on waits for it. */
export async function prepareRowtap(options: ConsumerOptions): Promise<void> {
  await using client: Client = await connect(walDriver({ connection: options.url }), { subscription: options.slot })
  const markers = client.listen({ table: 'public.marker', operations: ['insert'] })
  const rows = listen(client, options)
  await Promise.all([markers.ready, rows.ready])
}

function listen(client: Client, { kind, table }: ConsumerOptions): Listener {
  switch (kind) {
    case 'rowtap, nothing wanted':
      return table === 'public.wide'
        ? client.listen({ table, where: { c1: -1 } })
        : client.listen({ table, where: { customer_id: -1 } })
    case 'rowtap, 2 of 20 columns':
      return client.listen({ table, columns: ['id', 'c2'] })
    default:
      return client.listen({ table })
  }
}
