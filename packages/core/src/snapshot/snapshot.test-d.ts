import { describe, expectTypeOf, it } from 'vitest'
import type { Capabilities } from '../capabilities/capabilities.ts'
import type { Client, Listener } from '../client.ts'
import type { ChangeEvent, SnapshotEvent } from '../event.ts'
import type { SCRIPTED_CAPABILITIES } from '../testing/scripted-driver.ts'

interface Order {
  readonly id: string
}

type Reading = typeof SCRIPTED_CAPABILITIES

interface NotReading extends Capabilities {
  readonly snapshot: { readonly initial: false }
}

describe('snapshot', () => {
  it('adds its events to listeners that have it, and to no others', () => {
    function look(client: Client<Reading>): void {
      const reading = client.listen<Order>({ table: 'orders', snapshot: 'initial' })
      reading.on('snapshot', (event) => expectTypeOf(event).toEqualTypeOf<SnapshotEvent<Order>>())
      reading.on('change', (event) =>
        expectTypeOf(event).toEqualTypeOf<ChangeEvent<Order, Reading> | SnapshotEvent<Order>>(),
      )
      const manual = client.listen<Order>({ table: 'orders', snapshot: 'initial', ack: 'manual' })
      manual.on('snapshot', (event) => expectTypeOf(event.ack).returns.toBeVoid())
      const plain = client.listen<Order>({ table: 'orders' })
      plain.on('change', (event) => expectTypeOf(event).toEqualTypeOf<ChangeEvent<Order, Reading>>())
      plain.on('snapshot', (event) => expectTypeOf(event).toBeNever())
    }
    expectTypeOf(look).returns.toBeVoid()
  })

  it('is not an option of a driver that cannot', () => {
    function look(client: Client<NotReading>): void {
      // @ts-expect-error the driver does not support it
      client.listen<Order>({ table: 'orders', snapshot: 'initial' })
    }
    expectTypeOf(look).returns.toBeVoid()
  })

  it('says when it is done', () => {
    expectTypeOf<Listener['snapshotDone']>().toEqualTypeOf<Promise<void>>()
  })
})
