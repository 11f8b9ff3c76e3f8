import { describe, expect, test } from 'vitest'
import { RowtapError } from '../rowtap-error.ts'
import { gatedHandler, inserts, scriptedClient, soon } from '../testing/scripted-client.ts'
import { until } from '../testing/until.ts'

describe('a client that fails while it closes', () => {
  test('tells how much was unfinished when it failed, and the failure to its error handlers', async () => {
    const { client, driver } = await scriptedClient('durable')
    const errors: RowtapError[] = []
    client.on('error', (error) => errors.push(error))
    const listener = client.listen({ table: 'orders' })
    const gate = Promise.withResolvers<void>()
    listener.on('change', async () => await gate.promise)
    await listener.ready
    driver.deliver(inserts('1', '2', '3'))
    await until(() => driver.taken === 1)
    const closed = client.close()
    gate.reject(new Error('no'))
    expect(await closed).toEqual({ unfinished: 3 })
    expect(errors.map(({ code }) => code)).toEqual(['ERR_HANDLER'])
    expect([driver.closed, driver.acknowledged]).toEqual([1, []])
  })

  test('rejects its close() with the failure where nobody else hears of it', async () => {
    const { client, driver } = await scriptedClient('durable')
    const listener = client.listen({ table: 'orders' })
    const gate = Promise.withResolvers<void>()
    listener.on('change', async () => await gate.promise)
    await listener.ready
    driver.deliver(inserts('1'))
    await until(() => driver.taken === 1)
    const closed = client.close()
    gate.reject(new Error('no'))
    await expect(closed).rejects.toMatchObject({ code: 'ERR_HANDLER' })
    expect(driver.closed).toBe(1)
  })

  test('counts what a listener left before', async () => {
    const { client, driver } = await scriptedClient('durable')
    client.on('error', () => undefined)
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    driver.deliver(inserts('1', '2'))
    for await (const _ of listener) break
    driver.fail(new RowtapError('ERR_CONNECTION_LOST', { message: 'gone' }))
    await until(() => driver.closed === 1)
    expect(await client.close()).toEqual({ unfinished: 2 })
  })
})

test('a client that closes hands over what a listener has that is being stopped', async () => {
  const { client, driver } = await scriptedClient('durable')
  const listener = client.listen({ table: 'orders' })
  const { handler, begun, end } = gatedHandler()
  listener.on('change', handler)
  await listener.ready
  const changes = driver.deliver(inserts('1', '2'))
  await until(() => begun.length === 1)
  const stopped = listener.stop()
  const closed = client.close()
  end('c1')
  await until(() => begun.length === 2)
  expect(driver.closed).toBe(0)
  end('c2')
  expect([await stopped, await closed]).toEqual([{ unfinished: 0 }, { unfinished: 0 }])
  expect(driver.acknowledged.at(-1)).toBe(changes.at(-1)?.position)
})

test('a client that closes waits for the handler that runs of a listener that was left', async () => {
  const { client, driver } = await scriptedClient('durable')
  const listener = client.listen({ table: 'orders' })
  const { handler, begun, end } = gatedHandler()
  listener.on('change', handler)
  await listener.ready
  const [first] = driver.deliver(inserts('1'))
  await until(() => begun.length === 1)
  const disposed = listener[Symbol.asyncDispose]()
  const closed = client.close()
  await soon()
  expect(driver.closed).toBe(0)
  end('c1')
  await disposed
  expect(await closed).toEqual({ unfinished: 0 })
  expect(driver.acknowledged.at(-1)).toBe(first?.position)
})
