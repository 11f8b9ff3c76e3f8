import { describe, expectTypeOf, it } from 'vitest'
import type { Capabilities } from './capabilities/capabilities.ts'
import type { EveryCondition } from './capabilities/every-condition.ts'
import type { Refused } from './capabilities/refused.ts'
import type { ConditionSource } from './conditions/condition-source.ts'
import type { Condition } from './conditions/condition.ts'
import type { Client, Listener } from './client.ts'
import { connect, listen, plan } from './connect.ts'
import type { Driver } from './contract/driver.ts'
import type { ChangeEvent, Row } from './event.ts'
import type { ConnectOptions, ListenOptions } from './listen-options.ts'
import type { RowtapError } from './rowtap-error.ts'

interface Order {
  readonly id: string
  readonly status: string
  readonly total: number
}

interface Able extends Capabilities {
  readonly driver: 'able'
  readonly columns: { readonly projection: 'process'; readonly onlyChanged: 'process' }
  readonly keys: { readonly change: 'process'; readonly declared: 'process' }
  readonly delivery: {
    readonly acknowledgement: 'database'
    readonly subscription: 'database'
    readonly reconnect: false
  }
}

interface Unable extends Capabilities {
  readonly driver: 'unable'
  readonly operations: {
    readonly insert: 'database'
    readonly update: false
    readonly delete: 'database'
    readonly truncate: false
  }
  readonly conditions: EveryCondition<false>
  readonly transitions: { readonly exact: 'process'; readonly idempotent: false }
  readonly columns: { readonly projection: false; readonly onlyChanged: false }
  readonly keys: { readonly change: false; readonly declared: false }
  readonly delivery: { readonly acknowledgement: false; readonly subscription: false; readonly reconnect: false }
  readonly messages: { readonly logical: false }
}

declare const source: ConditionSource
declare const able: Driver<Able>
declare const unable: Driver<Unable>
declare const untyped: Driver
declare const either: Driver<Able> | Driver<Unable>
declare const neither: Driver<Unable> | Driver<Unable & { readonly driver: 'unable, too' }>
declare const tellsOldRows: Driver<Able & { readonly rows: { readonly oldWithoutSetup: 'database' } }>
declare const tellsNoOldRows: Driver<Unable & { readonly rows: { readonly oldWithoutSetup: false } }>

describe('operations', () => {
  it('are what the manifest does not say `false` to', () => {
    type Listed = NonNullable<ListenOptions<Unable>['operations']>[number]
    expectTypeOf<Extract<Listed, string>>().toEqualTypeOf<'insert' | 'delete'>()
    expectTypeOf<Exclude<Listed, string>>().toEqualTypeOf<
      | Refused<"The driver 'unable' does not support the operation 'update'.">
      | Refused<"The driver 'unable' does not support the operation 'truncate'.">
    >()
  })

  it('are all allowed where the type of the driver was lost', () => {
    type Listed = NonNullable<ListenOptions['operations']>[number]
    expectTypeOf<Listed>().toEqualTypeOf<'insert' | 'update' | 'delete' | 'truncate'>()
  })
})

describe('options', () => {
  it('are refused with a sentence where the manifest says `false`', () => {
    type Options = Required<ListenOptions<Unable, Order>>
    expectTypeOf<Options['columns']>().toEqualTypeOf<
      Refused<"The driver 'unable' does not support the option 'columns'.">
    >()
    expectTypeOf<Options['key']>().toEqualTypeOf<Refused<"The driver 'unable' does not support the option 'key'.">>()
    expectTypeOf<Options['where']>().toEqualTypeOf<
      Refused<"The driver 'unable' does not support the option 'where'.">
    >()
    expectTypeOf<Required<ConnectOptions<Unable>>['wait']>().toEqualTypeOf<
      Refused<"The driver 'unable' does not support the option 'wait'.">
    >()
    expectTypeOf<Required<ConnectOptions<Unable>>['subscription']>().toEqualTypeOf<
      Refused<"The driver 'unable' does not support the option 'subscription'.">
    >()
  })

  it('name columns of the row type, where there is one', () => {
    type Options = Required<ListenOptions<Able, Order>>
    expectTypeOf<Options['columns']>().toEqualTypeOf<readonly ('id' | 'status' | 'total')[]>()
    expectTypeOf<Options['key']>().toEqualTypeOf<readonly ('id' | 'status' | 'total')[]>()
    expectTypeOf<Required<ListenOptions<Able>>['columns']>().toEqualTypeOf<readonly string[]>()
  })
})

describe('a call', () => {
  it('takes what the driver supports', async () => {
    const client = await connect(able, { subscription: 'billing' })
    client.listen<Order>({ table: 'orders', columns: ['id', 'total'], key: ['id'], operations: ['truncate'] })
    listen(able, { table: { schema: 'public', name: 'orders' }, columns: ['anything'] })
    client.listen<Order>({ table: 'orders', where: { total: { gte: 100 }, or: [{ status: 'paid' }] } })
    client.listen<Order>({ table: 'orders', where: { kind: 'constant', value: true } satisfies Condition })
    client.listen<Order>({ table: 'orders', where: source, transitions: 'idempotent' })
    // @ts-expect-error Order has no such column
    client.listen<Order>({ table: 'orders', columns: ['colour'] })
    // @ts-expect-error Order has no such column
    client.listen<Order>({ table: 'orders', where: { colour: 'red' } })
  })

  it('may have a condition and a key on columns that its rows leave out', async () => {
    type Brief = Pick<Order, 'id' | 'total'>
    const client = await connect(able)
    const brief = client.listen<Brief, Order>({
      table: 'orders',
      columns: ['id', 'total'],
      key: ['status'],
      where: { status: 'paid', not: { or: [{ total: { lt: 1 } }] } },
    })
    brief.on('insert', (event) => expectTypeOf(event.new).toEqualTypeOf<Brief>())
    const manual = client.listen<Brief, Order>({ table: 'orders', ack: 'manual', where: { status: 'paid' } })
    expectTypeOf(manual).toEqualTypeOf<Listener<Brief, Able, 'manual'>>()
    listen<Brief, Order>(able, { table: 'orders', columns: ['id'], where: { status: 'paid' } })
    client.listen<Order>({ table: 'orders', columns: ['id'], where: { status: 'paid' } })
    // @ts-expect-error the table has no such column
    client.listen<Brief, Order>({ table: 'orders', where: { colour: 'red' } })
    // @ts-expect-error its rows have no such column
    client.listen<Brief, Order>({ table: 'orders', columns: ['status'] })
  })

  it('has failures handled by the type of its events', async () => {
    const client = await connect(able)
    client.listen<Order>({
      table: 'orders',
      onFailure: async (event, error) => {
        expectTypeOf(event).toEqualTypeOf<ChangeEvent<Order, Able>>()
        expectTypeOf(error).toEqualTypeOf<RowtapError>()
        if (event.kind === 'insert') expectTypeOf(event.new.total).toBeNumber()
        await Promise.resolve()
      },
    })
    client.listen({
      table: 'orders',
      ack: 'manual',
      onFailure: (event) => {
        expectTypeOf(event).toEqualTypeOf<ChangeEvent<Row, Able>>()
      },
    })
    client.listen<Order>({ table: 'orders', onFailure: 'skip' })
    // @ts-expect-error there is no such way
    client.listen<Order>({ table: 'orders', onFailure: 'retry' })
    // @ts-expect-error the rows of the listener are others
    client.listen<Order>({ table: 'orders', onFailure: (event: ChangeEvent<{ x: 1 }>) => void event })
  })

  it('does not take what it does not', async () => {
    // @ts-expect-error the manifest says false
    const client = await connect(unable, { subscription: 'billing' })
    // @ts-expect-error the manifest says false
    await connect(unable, { messages: true })
    // @ts-expect-error the manifest says false
    client.listen({ table: 'orders', operations: ['truncate'] })
    // @ts-expect-error the manifest says false
    client.listen({ table: 'orders', columns: ['id'] })
    // @ts-expect-error the manifest says false
    client.listen({ table: 'orders', key: ['id'] })
    // @ts-expect-error the manifest says false
    client.listen({ table: 'orders', where: { id: 1 } })
    // @ts-expect-error the manifest says false
    client.listen({ table: 'orders', transitions: 'idempotent' })
    // @ts-expect-error the manifest says false
    listen(unable, { table: 'orders', operations: ['update'] })
  })

  it('takes anything of a driver whose type was lost: it is refused when it runs', async () => {
    expectTypeOf(unable).toExtend<Driver>()
    const client = await connect(untyped, { subscription: 'billing' })
    client.listen({ table: 'orders', operations: ['truncate'], columns: ['id'], key: ['id'] })
  })

  it('has rows of unknown shape unless told', async () => {
    const client = await connect(able)
    client.listen({ table: 'orders' }).on('insert', (event) => expectTypeOf(event.new).toEqualTypeOf<Row>())
    const listener = client.listen({ table: 'orders', columns: ['id'], where: { status: 'paid' } })
    listener.on('insert', (event) => expectTypeOf(event.new).toEqualTypeOf<Row>())
    client.listen<Order>({ table: 'orders' }).on('insert', (event) => expectTypeOf(event.new).toEqualTypeOf<Order>())
  })
})

describe('a driver that is one of several', () => {
  it('may be chosen when the program runs', async () => {
    const chosen = Math.random() < 0.5 ? able : unable
    expectTypeOf(chosen).toEqualTypeOf<Driver<Able> | Driver<Unable>>()
    const client = await connect(chosen, { signal: new AbortController().signal })
    expectTypeOf(client).toEqualTypeOf<Client<Able | Unable>>()
    const listener = client.listen<Order>({ table: 'orders', operations: ['insert'], ack: 'manual' })
    expectTypeOf(listener).toEqualTypeOf<Listener<Order, Able | Unable, 'manual'>>()
    listener.on('insert', (event) => expectTypeOf(event.new).toEqualTypeOf<Order>())
    for await (const event of listen(either, { table: 'orders' })) expectTypeOf(event.id).toBeString()
    listen<Order>(either, { table: 'orders', operations: ['insert'] })
    await plan(either, [{ table: 'orders' }], { signal: new AbortController().signal })
  })

  it('takes what one of them may have, and not what none has', async () => {
    const client = await connect(either, { subscription: 'billing' })
    client.listen<Order>({ table: 'orders', columns: ['id'], operations: ['truncate'], where: { status: 'paid' } })
    await plan(either, [{ table: 'orders', columns: ['id'] }], { subscription: 'billing' })
    // @ts-expect-error Order has no such column
    client.listen<Order>({ table: 'orders', columns: ['colour'] })
    // @ts-expect-error neither has it
    await connect(neither, { subscription: 'billing' })
    // @ts-expect-error neither has it
    await plan(neither, [{ table: 'orders', columns: ['id'] }])
    // @ts-expect-error neither has it
    listen(neither, { table: 'orders', operations: ['update'] })
  })

  it('tells only as much of an old row as the one that tells least', async () => {
    const client = await connect(Math.random() < 0.5 ? tellsOldRows : tellsNoOldRows)
    client.listen<Order>({ table: 'orders' }).on('delete', (event) => {
      expectTypeOf(event.old).toEqualTypeOf<Partial<Order>>()
    })
  })
})
