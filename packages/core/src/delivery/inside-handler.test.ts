import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import { connect } from '../connect.ts'
import { soon } from '../testing/scripted-client.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const orders = textRelation('orders', ['id'])

test('a handler that returned at once before, and now awaits, can stop its listener and close its client', async () => {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  const client = await connect(driver)
  const seen: string[] = []
  const others = Array.from({ length: 3 }, () => client.listen({ table: 'orders' }))
  for (const other of others) other.on('insert', () => void seen.push('other'))
  const listener = client.listen({ table: 'orders' })
  const done = Promise.withResolvers<void>()
  listener.on('insert', (event) => {
    if (event.key['id'] === '1') return undefined
    return (async () => {
      await new Promise((resolve) => setImmediate(resolve))
      await listener.stop()
      await client.close()
      done.resolve()
    })()
  })
  await Promise.all([...others, listener].map((one) => one.ready))
  driver.deliver([{ kind: 'insert', new: ['1'] }])
  await until(() => seen.length === 3)
  driver.deliver([{ kind: 'insert', new: ['2'] }])
  await done.promise
  expect(seen).toHaveLength(6)
  expect(driver.closed).toBe(1)
})

test('a handler that stops another listener waits for what that one is handling', async () => {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  await using client = await connect(driver)
  const log: string[] = []
  const slow = client.listen({ table: 'orders' })
  const gate = Promise.withResolvers<void>()
  slow.on('insert', async () => {
    await gate.promise
    log.push('slow is done')
  })
  const stopping = client.listen({ table: 'orders' })
  stopping.on('insert', async () => {
    const stopped = slow.stop()
    gate.resolve()
    await stopped
    log.push('slow is stopped')
  })
  await Promise.all([slow.ready, stopping.ready])
  driver.deliver([{ kind: 'insert', new: ['1'] }])
  await until(() => log.length === 2)
  expect(log).toEqual(['slow is done', 'slow is stopped'])
})

test('handlers of several clients each run in the context that their client was made in', async () => {
  const context = new AsyncLocalStorage<string>()
  const seen: (readonly [string, string | undefined])[] = []
  const open = async (name: string): Promise<{ driver: ScriptedDriver; close: () => Promise<unknown> }> => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    const client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    listener.on('insert', async () => {
      await Promise.resolve()
      seen.push([name, context.getStore()])
    })
    await listener.ready
    return { driver, close: () => client.close() }
  }
  const one = await context.run('one', () => open('one'))
  const two = await context.run('two', () => open('two'))
  for (const [count, { driver }] of [one, two, one, two].entries()) {
    driver.deliver([{ kind: 'insert', new: [String(count)] }])
    await until(() => seen.length === count + 1)
  }
  expect(seen).toEqual([
    ['one', 'one'],
    ['two', 'two'],
    ['one', 'one'],
    ['two', 'two'],
  ])
  await Promise.all([one.close(), two.close()])
})

describe('a handler that closes its client', () => {
  test('and waits for that keeps what is behind it from being handed over, in its own listener only', async () => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    const client = await connect(driver)
    const [own, other] = [client.listen({ table: 'orders' }), client.listen({ table: 'orders' })]
    const seen: string[] = []
    let report: unknown
    own.on('insert', async (event) => {
      seen.push(`own ${event.id}`)
      report = await client.close()
    })
    other.on('insert', async (event) => {
      await soon()
      seen.push(`other ${event.id}`)
    })
    await Promise.all([own.ready, other.ready])
    driver.deliver(['1', '2', '3'].map((id) => ({ kind: 'insert', new: [id] })))
    await until(() => report !== undefined)
    expect(report).toEqual({ unfinished: 3 })
    expect(seen).toEqual(['own c1', 'other c1', 'other c2', 'other c3'])
    expect([driver.closed, driver.acknowledged]).toEqual([1, []])
  })

  test('and waits for that lets the keys that do not wait for its own be handed over', async () => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    const client = await connect(driver)
    const listener = client.listen({ table: 'orders', concurrency: 2 })
    const seen: string[] = []
    let report: unknown
    listener.on('insert', async (event) => {
      seen.push(event.id)
      if (event.id === 'c1') report = await client.close()
      await soon()
    })
    await listener.ready
    driver.deliver(['1', '2', '1', '3'].map((id) => ({ kind: 'insert', new: [id] })))
    await until(() => report !== undefined)
    expect(report).toEqual({ unfinished: 2 })
    expect(seen).toEqual(['c1', 'c2', 'c4'])
  })

  test.each([
    ['at once', () => undefined],
    ['a resolved promise', async () => await Promise.resolve()],
  ])('and returns %s is done, and what is behind it is handed over', async (_name, rest) => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    const client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    const seen: string[] = []
    let report: unknown
    listener.on('insert', (event) => {
      seen.push(event.id)
      if (event.id === 'c1') void client.close().then((closed) => (report = closed))
      return rest()
    })
    await listener.ready
    driver.deliver(['1', '2', '3'].map((id) => ({ kind: 'insert', new: [id] })))
    await until(() => report !== undefined)
    expect(seen).toEqual(['c1', 'c2', 'c3'])
    expect(report).toEqual({ unfinished: 0 })
    expect(driver.acknowledged).toHaveLength(1)
  })
})

test('a handler that stops its listener is told how much is still to be handed over, its own event included', async () => {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  await using client = await connect(driver)
  const listener = client.listen({ table: 'orders' })
  const log: unknown[] = []
  listener.on('insert', async (event) => {
    log.push(event.id)
    if (event.id === 'c1') log.push(await listener.stop())
  })
  await listener.ready
  driver.deliver(['1', '2', '3'].map((id) => ({ kind: 'insert', new: [id] })))
  await until(() => log.length === 4)
  expect(log).toEqual(['c1', { unfinished: 3 }, 'c2', 'c3'])
  expect(await listener.stop()).toEqual({ unfinished: 0 })
})

describe('handlers that wait for each other’s end go on at once:', () => {
  test('two that close their client', async () => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    const client = await connect(driver)
    const reports: unknown[] = []
    for (let n = 0; n < 2; n++) {
      const listener = client.listen({ table: 'orders' })
      listener.on('insert', async () => {
        // Not all of them at the same moment.
        for (let turn = 0; turn < n; turn++) await soon()
        reports.push(await client.close())
      })
      await listener.ready
    }
    driver.deliver([{ kind: 'insert', new: ['1'] }])
    await until(() => reports.length === 2)
    expect(reports).toEqual([{ unfinished: 2 }, { unfinished: 2 }])
  })

  test('several of one listener that stop it, and what is behind them is handed over', async () => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders', concurrency: 2 })
    const log: string[] = []
    listener.on('insert', async (event) => {
      if (event.id !== 'c3') await listener.stop()
      log.push(event.id)
    })
    await listener.ready
    driver.deliver(['1', '2', '3'].map((id) => ({ kind: 'insert', new: [id] })))
    await until(() => log.length === 3)
    expect(log.at(-1)).toBe('c3')
    await until(() => driver.acknowledged.length === 1)
  })

  test('two that stop each other’s listener', async () => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    await using client = await connect(driver)
    const [one, other] = [client.listen({ table: 'orders' }), client.listen({ table: 'orders' })]
    const log: string[] = []
    one.on('insert', async () => {
      await other.stop()
      log.push('one')
    })
    other.on('insert', async () => {
      await soon()
      await one.stop()
      log.push('other')
    })
    await Promise.all([one.ready, other.ready])
    driver.deliver([{ kind: 'insert', new: ['1'] }])
    await until(() => log.length === 2)
    expect(log.toSorted()).toEqual(['one', 'other'])
  })

  test('one that stops a listener whose handler closes the client', async () => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    const client = await connect(driver)
    const [one, other] = [client.listen({ table: 'orders' }), client.listen({ table: 'orders' })]
    const log: string[] = []
    one.on('insert', async () => {
      await other.stop()
      log.push('one')
    })
    other.on('insert', async () => {
      await soon()
      await client.close()
      log.push('other')
    })
    await Promise.all([one.ready, other.ready])
    driver.deliver([{ kind: 'insert', new: ['1'] }])
    await until(() => log.length === 2)
    expect(driver.closed).toBe(1)
  })
})

test('whoever is outside waits for a handler that waits for the same end, and for what is behind it', async () => {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  await using client = await connect(driver)
  const listener = client.listen({ table: 'orders' })
  const log: string[] = []
  const begun = Promise.withResolvers<void>()
  listener.on('insert', async (event) => {
    begun.resolve()
    if (event.id === 'c1') await listener.stop()
    await soon()
    log.push(event.id)
  })
  await listener.ready
  driver.deliver(['1', '2'].map((id) => ({ kind: 'insert', new: [id] })))
  await begun.promise
  expect(await listener.stop()).toEqual({ unfinished: 0 })
  expect(log).toEqual(['c1', 'c2'])
})

test.each([
  ['that returned at once', false],
  ['that took its time', true],
])('what a handler %s has started is not inside it any more: it waits for the next', async (_name, takesTime) => {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  await using client = await connect(driver)
  const listener = client.listen({ table: 'orders' })
  const start = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const log: string[] = []
  listener.on('insert', (event) => {
    if (event.id === 'c2') return gate.promise.then(() => log.push('handled'))
    void start.promise.then(async () => {
      const stopped = listener.stop()
      gate.resolve()
      await stopped
      log.push('stopped')
    })
    return takesTime ? soon() : undefined
  })
  await listener.ready
  driver.deliver(['1', '2'].map((id) => ({ kind: 'insert', new: [id] })))
  await until(() => driver.taken === 1)
  await soon()
  start.resolve()
  await until(() => log.length === 2)
  expect(log).toEqual(['handled', 'stopped'])
})
