import { connect } from '@rowtap/core'
import type { ChangeEvent } from '@rowtap/core'
import { driver } from './driver.ts'

interface Order {
  readonly id: number
  readonly status: string
  readonly total: string
}

await using client = await connect(driver)
const orders = client.listen<Order>({ table: 'public.orders', operations: ['insert', 'update', 'delete'] })
const done = Promise.withResolvers<void>()

orders.on('insert', (event) => {
  const { id, status, total } = event.new
  print('insert', id, status, total)
})
orders.on('update', async (event) => {
  await Promise.resolve()
  print('update', event.key.id, event.new.status)
})
orders.on('change', (event) => {
  if (event.kind !== 'delete') return
  print('delete', event.key.id, describe(event))
  done.resolve()
})

await orders.ready
print('ready')
await done.promise

function describe(event: ChangeEvent<Order>): string {
  switch (event.kind) {
    case 'insert':
    case 'update':
      return `has id ${event.new.id ?? 'unknown'}`
    case 'delete':
      return `had id ${event.old.id ?? 'unknown'}`
    case 'truncate':
      return 'has no rows'
  }
}

function print(...values: readonly unknown[]): void {
  process.stdout.write(`${JSON.stringify(values)}\n`)
}
