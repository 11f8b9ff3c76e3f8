import { describe, expect, test } from 'vitest'
import type { Client } from '../client.ts'
import { connect } from '../connect.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const orders = textRelation('orders', ['id', 'status'])

interface Fixture extends AsyncDisposable {
  readonly driver: ScriptedDriver
  readonly client: Client<typeof SCRIPTED_CAPABILITIES>
}

async function connected(): Promise<Fixture> {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  const client = await connect(driver)
  return { driver, client, [Symbol.asyncDispose]: async () => void (await client.close({ timeoutMs: 0 })) }
}

function insert(id: string): { readonly kind: 'insert'; readonly new: readonly string[] } {
  return { kind: 'insert', new: [id, 'new'] }
}

describe('what cannot be together is refused', () => {
  test(`orderBy 'commit' and several at once`, async () => {
    await using fixture = await connected()
    const { client } = fixture
    expect(() => client.listen({ table: 'orders', orderBy: 'commit', concurrency: 2 })).toThrow(
      `'orderBy: commit' hands over one event at a time: leave 'concurrency' out, or order by key.`,
    )
    client.listen({ table: 'orders', orderBy: 'commit', concurrency: 1 })
  })

  test('a loop and several at once', async () => {
    await using fixture = await connected()
    const listener = fixture.client.listen({ table: 'orders', concurrency: 2 })
    expect(() => listener[Symbol.asyncIterator]()).toThrow(`A loop takes one event at a time: leave 'concurrency' out.`)
  })
})

test('while a handler waits for its retry, others go on and nothing of its key does', async () => {
  await using fixture = await connected()
  const { client, driver } = fixture
  const listener = client.listen({
    table: 'orders',
    concurrency: 4,
    retry: { attempts: 2, minDelayMs: 3_600_000, maxDelayMs: 3_600_000 },
  })
  const seen: string[] = []
  listener.on('change', (event) => {
    seen.push(event.id)
    if (event.id === 'c1') throw new Error('not yet')
  })
  await listener.ready
  driver.deliver([insert('a'), insert('a'), insert('b'), insert('c')])
  await until(() => client.metrics().total.delivered === 2)
  expect(seen).toEqual(['c1', 'c3', 'c4'])
})

describe('an event that was given up', () => {
  test('and that nobody hears of becomes a process warning', async () => {
    await using fixture = await connected()
    const { client, driver } = fixture
    const warned = Promise.withResolvers<Error>()
    process.once('warning', warned.resolve)
    const listener = client.listen({ table: 'orders', onFailure: 'skip' })
    listener.on('change', () => {
      throw new Error('no')
    })
    await listener.ready
    driver.deliver([insert('a')])
    const { name, message } = await warned.promise
    expect([name, message]).toEqual([
      'RowtapSkip',
      'An event was skipped: A handler for public.orders failed on insert c1: no',
    ])
  })

  test('to a dead-letter handler is told as one', async () => {
    await using fixture = await connected()
    const { client, driver } = fixture
    const told: unknown[] = []
    client.on('passedOver', ({ kind, table, event, error }) =>
      told.push([kind, table.name, event.id, error.table?.name]),
    )
    const listener = client.listen({ table: 'orders', onFailure: () => undefined })
    listener.on('change', () => {
      throw new Error('no')
    })
    await listener.ready
    driver.deliver([insert('a')])
    await until(() => told.length === 1)
    expect(told).toEqual([['dead letter', 'orders', 'c1', 'orders']])
  })
})

test('what nobody acknowledges counts against the buffer: the reading comes to a stop, and goes on after ack()', async () => {
  await using fixture = await connected()
  const { client, driver } = fixture
  const listener = client.listen({ table: 'orders', ack: 'manual', bufferBytes: 100 })
  const acks: (() => void)[] = []
  listener.on('change', (event) => void acks.push(event.ack))
  await listener.ready
  driver.deliver([insert('a')], 100)
  driver.deliver([insert('b')], 100)
  await until(() => acks.length === 1)
  await new Promise((resolve) => setImmediate(resolve))
  expect(driver.taken).toBe(1)
  acks[0]?.()
  await until(() => acks.length === 2)
})
