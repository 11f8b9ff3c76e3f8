import type { Meter as OpenTelemetryMeter } from '@opentelemetry/api'
import { metrics } from '@opentelemetry/api'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { describe, expect, test } from 'vitest'
import { connect } from '../connect.ts'
import { observeClient } from '../opentelemetry.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'
import { CHANNELS } from './channels.ts'

/** Reads when the test says so. */
class Reader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve()
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve()
  }

  /** What a meter has recorded, by name: the unit, and each value with its attributes. */
  async read(): Promise<Record<string, { readonly unit: string; readonly points: readonly (readonly unknown[])[] }>> {
    const { resourceMetrics, errors } = await this.collect()
    if (errors.length > 0) throw new AggregateError(errors)
    const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
    return Object.fromEntries(
      all.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        { unit: descriptor.unit, points: dataPoints.map(({ attributes, value }) => [attributes, value]) },
      ]),
    )
  }
}

const orders = textRelation('orders', ['id', 'status'])
const items = textRelation('items', ['id'])

describe('a client that is observed with OpenTelemetry', () => {
  test('tells a real meter its counts by table, and the duration and delay of each event', async () => {
    const reader = new Reader()
    const provider = new MeterProvider({ readers: [reader] })
    const driver = new ScriptedDriver([orders, items], SCRIPTED_CAPABILITIES)
    await using client = await connect(driver)
    const end = observeClient(client, provider.getMeter('rowtap'))
    const listeners = [
      client.listen({ table: 'orders', where: { status: 'paid' } }),
      client.listen({ table: 'orders' }),
      client.listen({ table: 'items' }),
    ]
    for (const listener of listeners) listener.on('change', () => undefined)
    await Promise.all(listeners.map((listener) => listener.ready))
    const transaction = { id: 't', commitTime: new Date(Date.now() - 60_000) }
    driver.deliver([
      { kind: 'insert', new: ['1', 'new'], transaction },
      { kind: 'insert', new: ['2', 'paid'], transaction },
      { kind: 'insert', new: ['1'], relation: items, transaction },
    ])
    await until(() => client.metrics().total.delivered === 4)
    const read = await reader.read()
    const ofOrders = { 'rowtap.table': 'public.orders' }
    const ofItems = { 'rowtap.table': 'public.items' }
    expect(read['rowtap.received']).toEqual({
      unit: '{change}',
      points: [
        [ofOrders, 4],
        [ofItems, 1],
      ],
    })
    expect(read['rowtap.filtered']?.points[0]).toEqual([ofOrders, 1])
    expect(read['rowtap.delivered']?.points[0]).toEqual([ofOrders, 3])
    for (const name of ['failed', 'passed_over', 'retried', 'discarded', 'waiting', 'buffer.size']) {
      expect([name, ...(read[`rowtap.${name}`]?.points ?? [])]).toEqual([name, [ofOrders, 0], [ofItems, 0]])
    }
    expect(read['rowtap.lag']?.points[0]?.[1]).toBeGreaterThanOrEqual(60)
    expect(read['rowtap.lag']?.points[0]?.[1]).toBeLessThan(120)
    expect(read['rowtap.delay']?.points[0]).toMatchObject([ofOrders, { count: 3 }])
    expect(read['rowtap.delay']?.points[0]?.[1]).toHaveProperty(
      'min',
      expect.toSatisfy((min: number) => min >= 60),
    )
    expect(read['rowtap.handler.duration']).toMatchObject({
      unit: 's',
      points: [
        [ofOrders, { count: 3 }],
        [ofItems, { count: 1 }],
      ],
    })

    end()
    expect(CHANNELS['rowtap:deliver'].hasSubscribers).toBe(false)
    driver.deliver([{ kind: 'insert', new: ['2'], relation: items }])
    await until(() => client.metrics().total.delivered === 5)
    const after = await reader.read()
    expect(after['rowtap.handler.duration']?.points[1]).toMatchObject([ofItems, { count: 1 }])
    await provider.shutdown()
  })

  test('tells of events that failed what the client counts itself', async () => {
    const reader = new Reader()
    const provider = new MeterProvider({ readers: [reader] })
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    await using client = await connect(driver, { on: { passedOver: () => undefined } })
    const end = observeClient(client, provider.getMeter('rowtap'))
    const listener = client.listen({ table: 'orders', onFailure: 'skip' })
    listener.on('change', (event) => {
      if (event.id === 'c1') throw new Error('no')
    })
    await listener.ready
    driver.deliver(['1', '2'].map((id) => ({ kind: 'insert', new: [id, 'new'] })))
    await until(() => client.metrics().total.delivered === 1)
    const read = await reader.read()
    const { handlerDuration, delay } = client.metrics()
    for (const [name, { count, sumMs }] of [
      ['rowtap.handler.duration', handlerDuration],
      ['rowtap.delay', delay],
    ] as const) {
      expect(count).toBe(2)
      expect(read[name]?.points).toMatchObject([[{}, { count, sum: expect.closeTo(sumMs / 1000, 6) as unknown }]])
    }
    end()
    expect(CHANNELS['rowtap:failure'].hasSubscribers).toBe(false)
    await provider.shutdown()
  })

  test('is observed alone: another client in the process is not', async () => {
    const reader = new Reader()
    const provider = new MeterProvider({ readers: [reader] })
    const drivers = [
      new ScriptedDriver([orders], SCRIPTED_CAPABILITIES),
      new ScriptedDriver([orders], SCRIPTED_CAPABILITIES),
    ]
    const clients = await Promise.all(drivers.map((driver) => connect(driver)))
    const [observed] = clients
    if (observed === undefined) throw new Error('there is no client')
    const end = observeClient(observed, provider.getMeter('rowtap'))
    for (const client of clients) {
      const listener = client.listen({ table: 'orders' })
      listener.on('change', () => undefined)
      await listener.ready
    }
    for (const driver of drivers) driver.deliver([{ kind: 'insert', new: ['1', 'new'] }])
    await until(() => clients.every((client) => client.metrics().total.delivered === 1))
    expect((await reader.read())['rowtap.handler.duration']?.points).toMatchObject([[{}, { count: 1 }]])
    end()
    for (const client of clients) await client.close()
    await provider.shutdown()
  })

  test(`takes the meter of the API, which does nothing until somebody installs an SDK`, async () => {
    const meter: OpenTelemetryMeter = metrics.getMeter('rowtap')
    await using client = await connect(new ScriptedDriver([orders], SCRIPTED_CAPABILITIES))
    const end = observeClient(client, meter)
    expect(CHANNELS['rowtap:deliver'].hasSubscribers).toBe(true)
    end()
    expect(CHANNELS['rowtap:deliver'].hasSubscribers).toBe(false)
  })
})
