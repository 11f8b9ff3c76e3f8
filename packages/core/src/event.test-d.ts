import { describe, expectTypeOf, it } from 'vitest'
import type { Capabilities } from './capabilities/capabilities.ts'
import type { Client, Listener } from './client.ts'
import { listen } from './connect.ts'
import type { Driver } from './contract/driver.ts'
import type { Acknowledgeable, ChangeEvent, DeleteEvent, InsertEvent, TruncateEvent, UpdateEvent } from './event.ts'

interface Order {
  readonly id: string
  readonly total: number
}

/** A driver that has the whole old row, every value and the commit time without any set-up. */
interface Whole extends Capabilities {
  readonly rows: {
    readonly old: 'database'
    readonly oldWithoutSetup: 'database'
    readonly unchangedLargeValues: 'database'
  }
  readonly transactions: { readonly id: 'database'; readonly commitTime: 'database' }
}

/** A driver that has not. */
interface Partly extends Capabilities {
  readonly rows: { readonly old: 'database'; readonly oldWithoutSetup: false; readonly unchangedLargeValues: false }
  readonly transactions: { readonly id: 'database'; readonly commitTime: false }
}

describe('an event', () => {
  it('is narrowed by its kind', () => {
    function look(event: ChangeEvent<Order, Whole>): void {
      switch (event.kind) {
        case 'insert':
          expectTypeOf(event).toEqualTypeOf<InsertEvent<Order, Whole>>()
          expectTypeOf(event.new).toEqualTypeOf<Order>()
          expectTypeOf(event.old).toEqualTypeOf<null>()
          break
        case 'update':
          expectTypeOf(event).toEqualTypeOf<UpdateEvent<Order, Whole>>()
          expectTypeOf(event.changed).toEqualTypeOf<readonly ('id' | 'total')[] | null>()
          break
        case 'delete':
          expectTypeOf(event).toEqualTypeOf<DeleteEvent<Order, Whole>>()
          expectTypeOf(event.new).toEqualTypeOf<null>()
          expectTypeOf(event.key).toEqualTypeOf<Partial<Order>>()
          break
        case 'truncate':
          expectTypeOf(event).toEqualTypeOf<TruncateEvent<Whole>>()
          expectTypeOf(event.key).toEqualTypeOf<null>()
          break
        default:
          expectTypeOf(event).toBeNever()
      }
    }
    expectTypeOf(look).returns.toBeVoid()
  })

  it('has whole rows where the driver always has them', () => {
    expectTypeOf<UpdateEvent<Order, Whole>['old']>().toEqualTypeOf<Order>()
    expectTypeOf<UpdateEvent<Order, Whole>['new']>().toEqualTypeOf<Order>()
    expectTypeOf<DeleteEvent<Order, Whole>['old']>().toEqualTypeOf<Order>()
    expectTypeOf<ChangeEvent<Order, Whole>['transaction']['commitTime']>().toEqualTypeOf<Date>()
  })

  it('says that a row may lack columns where it may', () => {
    expectTypeOf<UpdateEvent<Order, Partly>['old']>().toEqualTypeOf<Partial<Order> | null>()
    expectTypeOf<UpdateEvent<Order, Partly>['new']>().toEqualTypeOf<Partial<Order>>()
    expectTypeOf<DeleteEvent<Order, Partly>['old']>().toEqualTypeOf<Partial<Order>>()
    expectTypeOf<ChangeEvent<Order, Partly>['transaction']['commitTime']>().toEqualTypeOf<Date | null>()
  })

  it('promises the least where the type of the driver was lost', () => {
    expectTypeOf<UpdateEvent<Order>['old']>().toEqualTypeOf<Partial<Order> | null>()
    expectTypeOf<UpdateEvent<Order>['new']>().toEqualTypeOf<Partial<Order>>()
  })
})

describe('a handler', () => {
  it('gets the kind that it asked for, and may return anything', () => {
    function handle(listener: Listener<Order, Whole>, seen: number[]): void {
      listener.on('insert', (event) => expectTypeOf(event).toEqualTypeOf<InsertEvent<Order, Whole>>())
      listener.on('change', (event) => expectTypeOf(event).toEqualTypeOf<ChangeEvent<Order, Whole>>())
      listener.on('update', (event) => seen.push(event.new.total))
      listener.on('delete', async (event) => {
        await Promise.resolve(event.old.id)
      })
      // @ts-expect-error there is no such kind
      listener.on('upsert', () => {})
    }
    expectTypeOf(handle).returns.toBeVoid()
  })

  it('of a signal gets what the signal tells', () => {
    function handle(client: Client): void {
      client.on('gap', (gap) => expectTypeOf(gap.reason).toBeString())
      client.on('error', (error) => expectTypeOf(error.retryable).toBeBoolean())
    }
    expectTypeOf(handle).returns.toBeVoid()
  })
})

describe('manual acknowledgement', () => {
  it(`gives events of handlers and loops 'ack' where the listener is made with ack: 'manual'`, () => {
    async function look(client: Client<Whole>, driver: Driver<Whole>): Promise<void> {
      const listener = client.listen<Order>({ table: 'orders', ack: 'manual', columns: ['id'], concurrency: 4 })
      expectTypeOf(listener).toEqualTypeOf<Listener<Order, Whole, 'manual'>>()
      listener.on('insert', (event) => {
        expectTypeOf(event).toEqualTypeOf<InsertEvent<Order, Whole> & Acknowledgeable>()
        expectTypeOf(event.new).toEqualTypeOf<Order>()
        event.ack()
      })
      listener.on('change', (event) => {
        if (event.kind === 'update') expectTypeOf(event.changed).toEqualTypeOf<readonly ('id' | 'total')[] | null>()
        event.ack()
      })
      for await (const event of client.listen({ table: 'orders', ack: 'manual' })) event.ack()
      for await (const event of listen(driver, { table: 'orders', ack: 'manual' })) event.ack()
    }
    expectTypeOf(look).returns.resolves.toBeVoid()
  })

  it(`gives events no 'ack' without it`, () => {
    async function look(client: Client<Whole>): Promise<void> {
      const listener = client.listen<Order>({ table: 'orders' })
      expectTypeOf(listener).toEqualTypeOf<Listener<Order, Whole>>()
      // @ts-expect-error the listener acknowledges by itself
      listener.on('insert', (event) => event.ack)
      // @ts-expect-error so it does in a loop
      for await (const event of client.listen({ table: 'orders', ack: 'auto' })) void event.ack
    }
    expectTypeOf(look).returns.resolves.toBeVoid()
  })

  it(`does not let an option of a manual listener pass that others are refused`, () => {
    function look(client: Client<Whole>): void {
      // @ts-expect-error Order has no such column
      client.listen<Order>({ table: 'orders', ack: 'manual', columns: ['colour'] })
      // @ts-expect-error there is no such way
      client.listen<Order>({ table: 'orders', ack: 'sometimes' })
    }
    expectTypeOf(look).returns.toBeVoid()
  })
})
