import { describe, expect, test } from 'vitest'
import { listen } from '../connect.ts'
import type { Acknowledgeable, ChangeEvent } from '../event.ts'
import { RowtapError } from '../rowtap-error.ts'
import { gatedHandler, inserts, scriptedClient, soon } from '../testing/scripted-client.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

describe('stop()', () => {
  test('takes no further changes, hands over what was received, and says so', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders' })
    const { handler, begun, end } = gatedHandler()
    listener.on('change', handler)
    await listener.ready
    const changes = driver.deliver(inserts('1', '2'))
    await until(() => begun.length === 1)
    const stopped = listener.stop()
    const later = driver.deliver(inserts('3'))
    await until(() => driver.taken === 2)
    expect(client.metrics().listeners).toEqual([])
    expect(client.metrics().total.waiting).toBe(2)
    end('c1')
    await until(() => begun.length === 2)
    expect(client.acknowledged).toBeNull()
    end('c2')
    expect(await stopped).toEqual({ unfinished: 0 })
    expect(begun).toEqual(['c1', 'c2'])
    expect(changes.at(-1)?.position).toBeDefined()
    expect(client.acknowledged).toBe(later[0]?.position)
  })

  test('leaves what is not handled in time: it is not acknowledged, nor anything after it', async () => {
    const { client, driver } = await scriptedClient('durable')
    const listener = client.listen({ table: 'orders' })
    const { handler, begun, end } = gatedHandler()
    listener.on('change', handler)
    await listener.ready
    const [first] = driver.deliver(inserts('1'))
    driver.deliver(inserts('2'))
    driver.deliver(inserts('3'))
    await until(() => driver.taken === 3)
    expect(await listener.stop({ timeoutMs: 1 })).toEqual({ unfinished: 3 })
    expect(client.metrics().total).toMatchObject({ waiting: 3, bufferBytes: 100, discarded: 0 })
    end('c1')
    await until(() => client.acknowledged === first?.position)
    expect(client.metrics().total).toMatchObject({ waiting: 2, bufferBytes: 0, delivered: 1 })
    expect(begun).toEqual(['c1'])
    expect(await listener.stop()).toEqual({ unfinished: 2 })
    expect(await client.close()).toEqual({ unfinished: 2 })
    expect(client.acknowledged).toBe(first?.position)
  })

  test('with discard drops what waits, which counts as done, and lets running handlers finish', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders' })
    const { handler, begun, end } = gatedHandler()
    listener.on('change', handler)
    await listener.ready
    driver.deliver(inserts('1'))
    const [, third] = driver.deliver(inserts('2', '3'))
    await until(() => driver.taken === 2)
    const stopped = listener.stop({ discard: true })
    await soon()
    expect(client.acknowledged).toBeNull()
    expect(client.metrics().total).toMatchObject({ discarded: 2, waiting: 1 })
    end('c1')
    expect(await stopped).toEqual({ unfinished: 0 })
    expect(client.acknowledged).toBe(third?.position)
    expect(begun).toEqual(['c1'])
  })

  test('with discard ends one that is being stopped', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders' })
    const { handler, begun, end } = gatedHandler()
    listener.on('change', handler)
    await listener.ready
    driver.deliver(inserts('1', '2'))
    await until(() => begun.length === 1)
    const stopped = listener.stop()
    const discarded = listener.stop({ discard: true })
    end('c1')
    expect([await stopped, await discarded]).toEqual([{ unfinished: 0 }, { unfinished: 0 }])
    expect(begun).toEqual(['c1'])
    await until(() => driver.acknowledged.length > 0)
  })

  test('waits for nothing where there is neither handler nor loop', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    driver.deliver(inserts('1', '2'))
    await until(() => driver.taken === 1)
    expect(await listener.stop()).toEqual({ unfinished: 2 })
    expect(driver.acknowledged).toEqual([])
    await listener.stop({ discard: true })
    expect(driver.acknowledged).toHaveLength(1)
  })

  test('lets a loop read what was received, and ends it', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders' })
    const loop = listener[Symbol.asyncIterator]()
    await listener.ready
    const changes = driver.deliver(inserts('1', '2'))
    const next = async (): Promise<unknown> => {
      const result: IteratorResult<ChangeEvent, undefined> = await loop.next()
      return result.value?.id
    }
    expect(await next()).toBe('c1')
    const stopped = listener.stop()
    expect(await next()).toBe('c2')
    expect(await next()).toBeUndefined()
    expect(await stopped).toEqual({ unfinished: 0 })
    expect(client.acknowledged).toBe(changes.at(-1)?.position)
  })

  test('refuses options that it does not have', async () => {
    await using fixture = await scriptedClient('durable')
    const listener = fixture.client.listen({ table: 'orders' })
    const given: readonly [unknown, string][] = [
      [{ discrad: true }, 'stop() has no option "discrad". Did you mean "discard"?'],
      [{ discard: 'yes' }, `'discard' is true or false.`],
      [{ timeoutMs: -1 }, `'timeoutMs' is a number of milliseconds.`],
      [{ timeoutMs: Number.NaN }, `'timeoutMs' is a number of milliseconds.`],
    ]
    for (const [options, message] of given) expect(() => listener.stop(options as never)).toThrow(message)
  })
})

describe('what is left', () => {
  test.each([
    ['a loop that is left by break', false],
    ['a loop whose body throws', true],
  ])('by %s, is not acknowledged, and is reported when the client closes', async (_name, throws) => {
    const { client, driver } = await scriptedClient('durable')
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    const [first] = driver.deliver(inserts('1'))
    driver.deliver(inserts('2', '3'))
    const read = async (): Promise<void> => {
      for await (const event of listener) {
        if (event.id === 'c1') continue
        if (throws) throw new Error('no')
        break
      }
    }
    if (throws) await expect(read()).rejects.toThrow('no')
    else await read()
    expect(client.acknowledged).toBe(first?.position)
    expect(client.metrics().total).toMatchObject({ waiting: 2, bufferBytes: 0, delivered: 1, discarded: 0 })
    // What others are done with is not acknowledged, either: it is after it.
    driver.deliver(inserts('4'))
    await until(() => driver.taken === 3)
    expect(client.acknowledged).toBe(first?.position)
    expect(await client.close()).toEqual({ unfinished: 2 })
    expect(client.acknowledged).toBe(first?.position)
  })

  test('is let go of by stop({ discard: true }) after the loop', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    const changes = driver.deliver(inserts('1', '2', '3'))
    for await (const event of listener) if (event.id === 'c2') break
    expect(client.acknowledged).toBeNull()
    expect(await listener.stop({ discard: true })).toEqual({ unfinished: 0 })
    expect(client.acknowledged).toBe(changes.at(-1)?.position)
    expect(client.metrics().total).toMatchObject({ delivered: 1, discarded: 2, waiting: 0 })
    await listener.stop({ discard: true })
    expect(client.metrics().total.discarded).toBe(2)
  })

  test('does not count against the reading', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders', bufferBytes: 100 })
    await listener.ready
    driver.deliver(inserts('1', '2'))
    await until(() => driver.taken === 1)
    driver.deliver(inserts('3'))
    for await (const event of listener) if (event.id === 'c1') break
    await until(() => driver.taken === 2)
  })

  test('by `await using` and by the signal, is what no handler has', async () => {
    for (const end of ['dispose', 'abort'] as const) {
      const { client, driver } = await scriptedClient('durable')
      const abort = new AbortController()
      const listener = client.listen({ table: 'orders', signal: abort.signal })
      const gate = gatedHandler()
      listener.on('change', gate.handler)
      await listener.ready
      const [first] = driver.deliver(inserts('1'))
      driver.deliver(inserts('2'))
      await until(() => driver.taken === 2)
      const disposed = end === 'dispose' ? listener[Symbol.asyncDispose]() : abort.abort()
      gate.end('c1')
      await disposed
      await until(() => client.acknowledged === first?.position)
      expect(gate.begun).toEqual(['c1'])
      expect(await client.close()).toEqual({ unfinished: 1 })
      expect(client.acknowledged).toBe(first?.position)
    }
  })

  test('includes an event that waits for its retry, one that waits for its key, and half of a change', async () => {
    const { client, driver } = await scriptedClient('durable')
    const retried = client.listen({
      table: 'orders',
      retry: { attempts: 2, minDelayMs: 3_600_000, maxDelayMs: 3_600_000 },
    })
    let calls = 0
    retried.on('change', () => {
      calls++
      throw new Error('not yet')
    })
    const concurrent = client.listen({ table: 'orders', concurrency: 2 })
    const gate = gatedHandler()
    concurrent.on('change', gate.handler)
    const sequential = client.listen({ table: 'orders' })
    const other = gatedHandler()
    sequential.on('change', other.handler)
    await Promise.all([retried, concurrent, sequential].map((listener) => listener.ready))
    // A change of the key: a delete and an insert.
    driver.deliver([{ kind: 'update', old: ['1', 'new'], new: ['2', 'new'] }, ...inserts('2', '2')])
    await until(() => calls === 1 && gate.begun.length === 2 && other.begun.length === 1)
    const disposed = [retried, concurrent, sequential].map((listener) => listener[Symbol.asyncDispose]())
    for (const { begun, end } of [gate, other]) for (const id of begun) end(id)
    await Promise.all(disposed)
    expect([calls, gate.begun.length, other.begun.length]).toEqual([1, 2, 1])
    expect(client.metrics().total).toMatchObject({ discarded: 0, bufferBytes: 0 })
    const left = client.metrics().total.waiting
    expect(left).toBe(3 + 2 + 3)
    expect(driver.acknowledged).toEqual([])
    expect(await client.close()).toEqual({ unfinished: left })
  })

  test('is done after all when a loop that was ended asks past its event', async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const abort = new AbortController()
    const listener = client.listen({ table: 'orders', signal: abort.signal })
    const loop = listener[Symbol.asyncIterator]()
    await listener.ready
    const [first] = driver.deliver(inserts('1'))
    driver.deliver(inserts('2'))
    await loop.next()
    await until(() => driver.taken === 2)
    abort.abort()
    expect(client.acknowledged).toBeNull()
    expect((await loop.next()).done).toBe(true)
    expect(client.acknowledged).toBe(first?.position)
    expect(client.metrics().total).toMatchObject({ delivered: 1, waiting: 1 })
  })

  test(`with ack: 'manual' is done after all when somebody acknowledges it`, async () => {
    await using fixture = await scriptedClient('durable')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders', ack: 'manual' })
    const events: (ChangeEvent & Acknowledgeable)[] = []
    listener.on('change', (event) => void events.push(event))
    await listener.ready
    const changes = driver.deliver(inserts('1', '2'))
    await until(() => events.length === 2)
    expect(await listener.stop({ timeoutMs: 1 })).toEqual({ unfinished: 2 })
    for (const event of events) event.ack()
    events[0]?.ack()
    expect(client.acknowledged).toBe(changes.at(-1)?.position)
    expect(client.metrics().total).toMatchObject({ waiting: 0, discarded: 0 })
  })

  test('is let go of at once where nothing comes again', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    const changes = driver.deliver(inserts('1', '2', '3'))
    for await (const event of listener) if (event.id === 'c2') break
    expect(client.acknowledged).toBe(changes.at(-1)?.position)
    expect(client.metrics().total).toMatchObject({ delivered: 1, discarded: 2, waiting: 0 })
    expect(await listener.stop()).toEqual({ unfinished: 2 })
    expect(await client.close()).toEqual({ unfinished: 0 })
  })
})

describe('listen() with a client of its own', () => {
  const orders = textRelation('orders', ['id', 'status'])

  test('hands over what was received before its client is closed', async () => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    const listener = listen(driver, { table: 'orders' })
    const { handler, begun, end } = gatedHandler()
    listener.on('change', handler)
    await listener.ready
    driver.deliver(inserts('1', '2'))
    await until(() => begun.length === 1)
    const stopped = listener.stop()
    end('c1')
    await until(() => begun.length === 2)
    expect(driver.closed).toBe(0)
    end('c2')
    expect(await stopped).toEqual({ unfinished: 0 })
    expect([driver.closed, driver.acknowledged.length]).toEqual([1, 1])
  })

  test('tells whoever stops it what goes wrong with its client then', async () => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    const open = driver.open.bind(driver)
    const failure = new RowtapError('ERR_CONNECTION_LOST', { message: 'gone' })
    driver.open = async (host) => ({ ...(await open(host)), close: () => Promise.reject(failure) })
    const listener = listen(driver, { table: 'orders' })
    await listener.ready
    await expect(listener.stop()).rejects.toBe(failure)
  })

  test('can be stopped by its own handler: what is behind it is handed over, then its client closes', async () => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    const listener = listen(driver, { table: 'orders' })
    const log: string[] = []
    listener.on('change', async (event) => {
      if (event.id === 'c1') log.push(`stopped, unfinished: ${(await listener.stop()).unfinished}`)
      log.push(event.id)
    })
    await listener.ready
    driver.deliver(inserts('1', '2'))
    await until(() => driver.closed === 1)
    expect(log).toEqual(['stopped, unfinished: 2', 'c1', 'c2'])
    expect(driver.acknowledged).toHaveLength(1)
  })
})

describe('a signal that is aborted', () => {
  const reason = new Error('no longer')

  test('before the listener is made rejects its ready with ERR_ABORTED, and ends its loop', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const { client, driver } = fixture
    const listener = client.listen({ table: 'orders', signal: AbortSignal.abort(reason) })
    await expect(listener.ready).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: reason })
    expect(() => listener.on('change', () => undefined)).toThrow(expect.objectContaining({ code: 'ERR_ABORTED' }))
    for await (const event of listener) expect.unreachable(event.id)
    expect(driver.captured.flat()).toEqual([])
  })

  test('before the listener is live does so, too', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const abort = new AbortController()
    const listener = fixture.client.listen({ table: 'orders', signal: abort.signal })
    const { ready } = listener
    abort.abort(reason)
    await expect(ready).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: reason })
  })

  test('before a listener with a client of its own is made does so, too', async () => {
    const driver = new ScriptedDriver([textRelation('orders', ['id'])], SCRIPTED_CAPABILITIES)
    const listener = listen(driver, { table: 'orders', signal: AbortSignal.abort(reason) })
    await expect(listener.ready).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: reason })
    await until(() => driver.closed === driver.opened)
  })
})

test('a second loop is told that the listener has ended with the first, not that it is read', async () => {
  await using fixture = await scriptedClient('ephemeral')
  const { client, driver } = fixture
  const listener = client.listen({ table: 'orders' })
  await listener.ready
  const loop = listener[Symbol.asyncIterator]()
  expect(() => listener[Symbol.asyncIterator]()).toThrow(/is read by a loop already/)
  driver.deliver(inserts('1'))
  await loop.next()
  await loop.return?.()
  const second = async (): Promise<void> => {
    for await (const event of listener) expect.unreachable(event.id)
  }
  await expect(second()).rejects.toMatchObject({
    code: 'ERR_CLOSED',
    message: expect.stringMatching(/has ended/) as unknown,
  })
})
