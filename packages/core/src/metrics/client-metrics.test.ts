import { describe, expect, test } from 'vitest'
import type { Client } from '../client.ts'
import { connect } from '../connect.ts'
import type { Acknowledgeable, ChangeEvent } from '../event.ts'
import { scriptedClient } from '../testing/scripted-client.ts'
import type { ScriptedChange } from '../testing/scripted-driver.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'
import type { DeliveryCounts } from './client-metrics.ts'

const orders = textRelation('orders', ['id', 'status'])
const items = textRelation('items', ['id'])

interface Fixture extends AsyncDisposable {
  readonly driver: ScriptedDriver
  readonly client: Client<typeof SCRIPTED_CAPABILITIES>
}

async function connected(): Promise<Fixture> {
  const driver = new ScriptedDriver([orders, items], SCRIPTED_CAPABILITIES)
  const client = await connect(driver, { on: { passedOver: () => undefined, error: () => undefined } })
  return { driver, client, [Symbol.asyncDispose]: async () => void (await client.close({ timeoutMs: 0 })) }
}

function insert(id: string, status = 'new'): ScriptedChange {
  return { kind: 'insert', new: [id, status] }
}

/** Everything but how long it took. */
function countsOf(counts: DeliveryCounts | undefined): readonly (number | undefined)[] {
  return [
    counts?.received,
    counts?.filtered,
    counts?.delivered,
    counts?.failed,
    counts?.passedOver,
    counts?.retried,
    counts?.waiting,
    counts?.bufferBytes,
  ]
}

describe('metrics', () => {
  test('count what a listener received, did not want, has done and has waiting', async () => {
    await using fixture = await connected()
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders', where: { status: 'paid' } })
    const gate = Promise.withResolvers<void>()
    listener.on('change', (event) => (event.id === 'c3' ? gate.promise : undefined))
    await listener.ready
    driver.deliver([insert('1'), insert('2', 'paid'), insert('3', 'paid'), insert('4', 'paid')], 400)
    await until(() => client.metrics().total.delivered === 1)
    const during = client.metrics()
    expect(countsOf(during.listeners[0])).toEqual([4, 1, 1, 0, 0, 0, 2, 200])
    expect(during.listeners[0]?.table).toEqual({ schema: 'public', name: 'orders' })
    expect(countsOf(during.tables[0])).toEqual([4, 1, 1, 0, 0, 0, 2, 200])
    expect(countsOf(during.total)).toEqual([4, 1, 1, 0, 0, 0, 2, 200])
    expect([during.changes, during.acknowledged]).toEqual([4, null])
    gate.resolve()
    await until(() => client.metrics().total.delivered === 3)
    const after = client.metrics()
    expect(countsOf(after.total)).toEqual([4, 1, 3, 0, 0, 0, 0, 0])
    expect(after.acknowledged).toBe(client.acknowledged)
    expect(structuredClone(after)).toEqual(after)
  })

  test('count retries, failures, and what was passed over', async () => {
    await using fixture = await connected()
    const { client, driver } = fixture
    const listener = client.listen({
      table: 'orders',
      retry: { attempts: 3, minDelayMs: 1 },
      onFailure: (event) => {
        if (event.id === 'c2') throw new Error('full')
      },
    })
    listener.on('change', () => {
      throw new Error('no')
    })
    await listener.ready
    driver.deliver([insert('1'), insert('2')])
    await until(() => driver.closed === 1)
    expect(countsOf(client.metrics().total).slice(0, 6)).toEqual([2, 0, 0, 2, 1, 4])
  })

  test('count the time of handlers that failed, and not that of the dead-letter handler', async () => {
    await using fixture = await connected()
    const { client, driver } = fixture
    const listener = client.listen({
      table: 'orders',
      onFailure: async (event) => {
        await until(() => performance.now() - startedAt > 100)
        if (event.id === 'c2') throw new Error('full')
      },
    })
    let startedAt = 0
    listener.on('change', () => {
      startedAt = performance.now()
      throw new Error('no')
    })
    await listener.ready
    driver.deliver([{ ...insert('1'), transaction: { id: 't', commitTime: new Date() } }, insert('2')])
    await until(() => driver.closed === 1)
    const { handlerDuration, delay, total, lagMs } = client.metrics()
    expect([total.delivered, total.failed, handlerDuration.count, delay.count, lagMs]).toEqual([0, 2, 2, 2, null])
    expect(handlerDuration.sumMs).toBeLessThan(100)
    expect(handlerDuration.sumMs).toBeCloseTo(total.handlerMs)
  })

  test('count an event for whose kind there is no handler as delivered, everywhere', async () => {
    await using fixture = await connected()
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders' })
    listener.on('delete', () => undefined)
    await listener.ready
    driver.deliver([insert('1')])
    await until(() => client.metrics().total.delivered === 1)
    const { handlerDuration, delay, total } = client.metrics()
    expect([handlerDuration.count, delay.count, total.waiting]).toEqual([1, 1, 0])
  })

  test('add the listeners of a table up, those that are gone included, and only grow', async () => {
    await using fixture = await connected()
    const { client, driver } = fixture
    const gone = client.listen({ table: 'orders' })
    const stays = client.listen({ table: 'orders', where: { status: 'paid' } })
    const other = client.listen({ table: 'items' })
    const stopped = Promise.withResolvers<unknown>()
    const gate = Promise.withResolvers<void>()
    gone.on('change', async () => {
      // It is counted although its listener is detached by then.
      gone.stop().then(stopped.resolve, stopped.reject)
      await gate.promise
    })
    for (const listener of [stays, other]) listener.on('change', () => undefined)
    await Promise.all([gone.ready, stays.ready, other.ready])
    driver.deliver([insert('1'), { kind: 'insert', new: ['1'], relation: items }])
    await stopped.promise
    gate.resolve()
    await until(() => client.metrics().total.delivered === 2)
    driver.deliver([insert('2')])
    await until(() => client.metrics().changes === 3)
    const { listeners, tables, total } = client.metrics()
    expect(listeners.map((one) => [one.table.name, ...countsOf(one)])).toEqual([
      ['orders', 2, 2, 0, 0, 0, 0, 0, 0],
      ['items', 1, 0, 1, 0, 0, 0, 0, 0],
    ])
    expect(tables.map((one) => [one.table.name, one.listeners, ...countsOf(one)])).toEqual([
      ['orders', 1, 3, 2, 1, 0, 0, 0, 0, 0],
      ['items', 1, 1, 0, 1, 0, 0, 0, 0, 0],
    ])
    expect(countsOf(total)).toEqual([4, 2, 2, 0, 0, 0, 0, 0])
    await client.close()
    expect(client.metrics().listeners).toEqual([])
    expect(client.metrics().tables.map((one) => one.listeners)).toEqual([0, 0])
    expect(countsOf(client.metrics().total)).toEqual([4, 2, 2, 0, 0, 0, 0, 0])
  })

  test('count what was discarded, by listener and table, and what is left as waiting', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const discarding = client.listen({ table: 'orders' })
    const leaving = client.listen({ table: 'orders' })
    await Promise.all([discarding.ready, leaving.ready])
    driver.deliver([insert('1'), insert('2')])
    await until(() => client.metrics().changes === 2)
    await discarding.stop({ discard: true })
    await leaving[Symbol.asyncDispose]()
    const { tables, total } = client.metrics()
    for (const counts of [tables[0], total]) expect(counts).toMatchObject({ discarded: 2, waiting: 2, bufferBytes: 0 })
    await leaving.stop({ discard: true })
    expect(client.metrics().total).toMatchObject({ received: 4, delivered: 0, discarded: 4, waiting: 0 })
  })

  test('say how late events are and how long they take, in handlers and loops', async () => {
    await using fixture = await connected()
    const { client, driver } = fixture
    const pushed = client.listen({ table: 'orders' })
    const pulled = client.listen({ table: 'orders' })
    pushed.on('change', () => undefined)
    const loop = pulled[Symbol.asyncIterator]()
    await Promise.all([pushed.ready, pulled.ready])
    expect(client.metrics().lagMs).toBeNull()
    const hourAgo = { id: 't', commitTime: new Date(Date.now() - 3_600_000) }
    driver.deliver([{ ...insert('1'), transaction: hourAgo }])
    await loop.next()
    const asked = loop.next()
    await until(() => client.metrics().total.delivered === 2)
    const { lagMs, delay, handlerDuration, total } = client.metrics()
    expect(lagMs).toBeGreaterThanOrEqual(3_600_000)
    expect(lagMs).toBeLessThan(3_700_000)
    expect([delay.count, handlerDuration.count]).toEqual([2, 2])
    // The clock shows whole milliseconds.
    expect(delay.sumMs / 2).toBeGreaterThan(3_600_000 - 1)
    expect(delay.buckets.at(-1)).toEqual({ atMostMs: Infinity, count: 2 })
    expect(handlerDuration.sumMs).toBeCloseTo(total.handlerMs)
    await client.close()
    expect(await asked).toEqual({ done: true, value: undefined })
  })

  test('know neither lag nor delay where the commit time is not known', async () => {
    await using fixture = await connected()
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders' })
    listener.on('change', () => undefined)
    await listener.ready
    driver.deliver([{ ...insert('1'), transaction: { id: 't', commitTime: null } }])
    await until(() => client.metrics().total.delivered === 1)
    expect([client.metrics().lagMs, client.metrics().delay.count]).toEqual([null, 0])
  })

  test(`count an event of a listener with ack: 'manual' as waiting until somebody acknowledges it`, async () => {
    await using fixture = await connected()
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders', ack: 'manual' })
    const events: (ChangeEvent & Acknowledgeable)[] = []
    listener.on('change', (event) => void events.push(event))
    await listener.ready
    driver.deliver([insert('1')])
    await until(() => events.length === 1)
    expect([client.metrics().total.delivered, client.metrics().total.waiting]).toEqual([1, 1])
    events[0]?.ack()
    expect([client.metrics().total.delivered, client.metrics().total.waiting]).toEqual([1, 0])
  })
})
