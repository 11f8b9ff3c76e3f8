import { describe, expect, test } from 'vitest'
import type { Client, Listener } from '../client.ts'
import { connect } from '../connect.ts'
import { DURABLE_CAPABILITIES, inserts, scriptedClient } from '../testing/scripted-client.ts'
import { ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

type Captured = ScriptedDriver<typeof DURABLE_CAPABILITIES>['captured']

/** What is captured now: tables and operations. */
function capturedNow(captured: Captured): readonly string[] | undefined {
  return captured.at(-1)?.map(({ table, operations }) => `${table.name} ${[...operations].join()}`)
}

async function live(
  client: Client<typeof DURABLE_CAPABILITIES>,
  operation: 'insert' | 'delete' = 'insert',
): Promise<Listener> {
  const listener = client.listen({ table: 'orders', operations: [operation] })
  listener.on('change', () => undefined)
  await listener.ready
  return listener
}

const ends: readonly (readonly [string, (listener: Listener) => Promise<unknown>])[] = [
  ['stop()', (listener) => listener.stop()],
  ['`await using`', async (listener) => await listener[Symbol.asyncDispose]()],
]

describe('what a subscription captures', () => {
  test.each(ends)('stays when a listener ends by %s, and until the client closes', async (_name, end) => {
    const { client, driver } = await scriptedClient('durable')
    const listener = await live(client)
    await end(listener)
    expect(driver.captured).toHaveLength(1)
    const other = await live(client, 'delete')
    expect(capturedNow(driver.captured)).toEqual(['orders insert,delete'])
    await end(other)
    await client.close()
    expect(driver.captured).toHaveLength(2)
  })

  test('stays when a loop is left, and when a signal ends a listener', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const abort = new AbortController()
    const aborted = client.listen({ table: 'orders', operations: ['delete'], signal: abort.signal })
    await aborted.ready
    const looped = client.listen({ table: 'orders', operations: ['insert'] })
    await looped.ready
    driver.deliver(inserts('1'))
    for await (const _ of looped) break
    abort.abort()
    await until(() => client.metrics().listeners.length === 0)
    await live(client, 'insert')
    expect(capturedNow(driver.captured)).toEqual(['orders insert,delete'])
  })

  test('is less after stop({ discard: true }), once for each listener that wanted it', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const [one, same, other] = [await live(client), await live(client), await live(client, 'delete')]
    await one.stop()
    await same.stop({ discard: true })
    expect(capturedNow(driver.captured)).toEqual(['orders insert,delete'])
    // It has ended before: now its table is let go of, too.
    await one.stop({ discard: true })
    expect(capturedNow(driver.captured)).toEqual(['orders delete'])
    const calls = driver.captured.length
    await one.stop({ discard: true })
    await one.stop()
    expect(driver.captured).toHaveLength(calls)
    await other.stop({ discard: true })
    expect(capturedNow(driver.captured)).toEqual([])
  })

  test('is less when a listener is discarded that is being stopped', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders' })
    const gate = Promise.withResolvers<void>()
    listener.on('change', () => gate.promise)
    await listener.ready
    driver.deliver(inserts('1', '2'))
    await until(() => driver.taken === 1)
    const stopped = listener.stop()
    const discarded = listener.stop({ discard: true })
    gate.resolve()
    expect(await Promise.all([stopped, discarded])).toEqual([{ unfinished: 0 }, { unfinished: 0 }])
    expect(capturedNow(driver.captured)).toEqual([])
  })

  test('does not include the table of a listener that never was live', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const capture = Promise.withResolvers<void>()
    driver.onCapture = () => capture.promise
    const listener = client.listen({ table: 'orders' })
    await new Promise((resolve) => setImmediate(resolve))
    const stopped = listener.stop()
    capture.resolve()
    await stopped
    expect(capturedNow(driver.captured)).toEqual([])
  })

  test('is planned with what ended listeners wanted', async () => {
    await using fixture = await scriptedClient('durable')
    const { client } = fixture
    await (await live(client)).stop()
    const { listeners, statements } = await client.plan([{ table: 'orders', operations: ['delete'] }])
    expect(listeners.map(({ isAttached }) => isAttached)).toEqual([false])
    expect(statements.map(({ sql }) => sql)).toEqual(['CAPTURE public.orders (insert, delete)'])
  })

  test('is what listeners want that are there, in a client without a subscription', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const { client, driver } = fixture
    await (await live(client)).stop()
    expect(capturedNow(driver.captured)).toEqual([])
  })

  test('fails to be less where the source cannot be told, and says so to whoever discards', async () => {
    const driver = new ScriptedDriver([textRelation('orders', ['id', 'status'])], DURABLE_CAPABILITIES)
    await using client = await connect(driver, { subscription: 'billing' })
    const listener = await live(client)
    await listener.stop()
    driver.onCapture = () => Promise.reject(new Error('no'))
    await expect(listener.stop({ discard: true })).rejects.toThrow('no')
  })
})
