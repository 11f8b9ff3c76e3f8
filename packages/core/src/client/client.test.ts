import { describe, expect, test } from 'vitest'
import { connect, listen } from '../connect.ts'
import type { ChangeEvent } from '../event.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { ScriptedChange } from '../testing/scripted-driver.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const orders = textRelation('orders', ['id', 'status'])
const items = textRelation('items', ['id'])

function scripted(): ScriptedDriver {
  return new ScriptedDriver([orders, items], SCRIPTED_CAPABILITIES)
}

async function rejection(promise: PromiseLike<unknown>): Promise<RowtapError> {
  try {
    await promise
  } catch (error) {
    if (RowtapError.is(error)) return error
    throw error
  }
  throw new Error('expected a rejection')
}

describe('delivery to handlers', () => {
  test('events arrive in order, one at a time, however long a handler takes', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    const log: string[] = []
    listener.on('insert', async (event) => {
      log.push(`begin ${String(event.new['id'])}`)
      await new Promise((resolve) => setImmediate(resolve))
      log.push(`end ${String(event.new['id'])}`)
    })
    await listener.ready
    driver.deliver([1, 2, 3].map((id) => ({ kind: 'insert', new: [String(id), 'new'] })))
    await until(() => log.length === 6)
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'])
  })

  test('handlers for the kind and for every kind are called, and a removed one is not', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    const log: string[] = []
    const off = listener.on('insert', (event) => void log.push(`insert ${event.id}`))
    listener.on('change', (event) => void log.push(`change ${event.kind} ${event.id}`))
    await listener.ready
    driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    await until(() => log.length === 2)
    off()
    driver.deliver([{ kind: 'insert', new: ['2', 'a'] }, { kind: 'truncate' }])
    await until(() => log.length === 4)
    expect(log).toEqual(['insert c1', 'change insert c1', 'change insert c2', 'change truncate c3'])
  })

  test('what arrives before the first handler waits for it', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    await until(() => driver.taken === 1)
    const seen: string[] = []
    listener.on('insert', (event) => void seen.push(event.id))
    await until(() => seen.length === 1)
  })

  test('a handler can stop its own listener and close its own client without waiting for itself', async () => {
    const driver = scripted()
    const client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    const done = Promise.withResolvers<void>()
    listener.on('insert', async () => {
      await listener.stop()
      await client.close()
      done.resolve()
    })
    await listener.ready
    driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    await done.promise
    expect(driver.closed).toBe(1)
  })
})

describe('acknowledgement', () => {
  test('a position is acknowledged when every listener is done with everything up to it', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const slow = client.listen({ table: 'orders' })
    const quick = client.listen({ table: 'orders' })
    const gate = Promise.withResolvers<void>()
    let handled = 0
    slow.on('insert', () => gate.promise)
    quick.on('insert', () => void handled++)
    await Promise.all([slow.ready, quick.ready])
    const first = driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    const second = driver.deliver([{ kind: 'insert', new: ['2', 'a'] }])
    await until(() => handled === 2)
    expect(driver.acknowledged).toEqual([])
    gate.resolve()
    await until(() => driver.acknowledged.length > 0 && client.acknowledged === second[0]?.position)
    expect(driver.acknowledged.every((position) => position >= (first[0]?.position ?? ''))).toBe(true)
  })

  test('changes that nobody wants are acknowledged', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders', operations: ['delete'] })
    await listener.ready
    const [change] = driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    await until(() => client.acknowledged === change?.position)
  })

  test('an event of which a loop has not asked for the next one is not acknowledged', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    const [change] = driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    const loop = listener[Symbol.asyncIterator]()
    await loop.next()
    expect(client.acknowledged).toBeNull()
    const pending = loop.next()
    await until(() => client.acknowledged === change?.position)
    await loop.return?.()
    expect(await pending).toEqual({ done: true, value: undefined })
  })
})

describe('failures', () => {
  test('a failing handler stops the client: nothing from its change on is acknowledged, and the error is told', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const errors: RowtapError[] = []
    client.on('error', (error) => errors.push(error))
    const listener = client.listen({ table: 'orders' })
    const seen: string[] = []
    listener.on('insert', (event) => {
      seen.push(event.id)
      if (event.id === 'c2') throw new Error('no more paper')
    })
    await listener.ready
    const [first] = driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    driver.deliver([{ kind: 'insert', new: ['2', 'a'] }])
    driver.deliver([{ kind: 'insert', new: ['3', 'a'] }])
    await until(() => driver.closed === 1)
    expect(errors.map((error) => [error.code, error.eventId, (error.cause as Error).message])).toEqual([
      ['ERR_HANDLER', 'c2', 'no more paper'],
    ])
    expect(seen).toEqual(['c1', 'c2'])
    expect(driver.acknowledged).toEqual([first?.position])
    expect(() => client.listen({ table: 'orders' })).toThrow(RowtapError)
  })

  test('a rejected handler is a failure too', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const failed = Promise.withResolvers<RowtapError>()
    client.on('error', failed.resolve)
    const listener = client.listen({ table: 'orders' })
    listener.on('change', async () => await Promise.reject(new Error('later')))
    await listener.ready
    driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    expect((await failed.promise).message).toBe('A handler for public.orders failed on insert c1: later')
  })

  test('a lost connection reaches loops', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    const next = listener[Symbol.asyncIterator]().next()
    driver.fail(new RowtapError('ERR_CONNECTION_LOST', { message: 'gone', retryable: true }))
    expect((await rejection(next)).code).toBe('ERR_CONNECTION_LOST')
  })

  test('an unknown table rejects ready, and does not concern the other listeners', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const good = client.listen({ table: 'orders' })
    const bad = client.listen({ table: 'nothing' })
    const seen: string[] = []
    good.on('insert', (event) => void seen.push(event.id))
    const [, reason] = await Promise.all([good.ready, rejection(bad.ready)])
    expect(reason.code).toBe('ERR_SETUP_REQUIRED')
    driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    await until(() => seen.length === 1)
  })

  test('a table that cannot be captured does not take those with it that came at the same time', async () => {
    const driver = scripted()
    driver.onCapture = (requests) => {
      if (requests.some(({ table }) => table.name === 'items')) {
        throw new RowtapError('ERR_SETUP_REQUIRED', { message: 'items is not yours' })
      }
    }
    await using client = await connect(driver)
    const good = client.listen({ table: 'orders' })
    const bad = client.listen({ table: 'items' })
    const [, reason] = await Promise.all([good.ready, rejection(bad.ready)])
    expect(reason.message).toBe('items is not yours')
  })

  test('a listener that fails with nobody looking fails the client', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const failed = Promise.withResolvers<RowtapError>()
    client.on('error', failed.resolve)
    client.listen({ table: 'nothing' }).on('insert', () => undefined)
    expect((await failed.promise).code).toBe('ERR_SETUP_REQUIRED')
    await until(() => driver.closed === 1)
  })

  test('a driver that goes back in its stream is found out', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const failed = Promise.withResolvers<RowtapError>()
    client.on('error', failed.resolve)
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    const [change] = driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    driver.repeat(change)
    expect((await failed.promise).code).toBe('ERR_DRIVER_CONTRACT')
  })
})

describe('attaching and detaching', () => {
  test('a listener that comes later sees only what is after it, and the rest of a running transaction is not shown in part', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const early = client.listen({ table: 'orders' })
    const seenEarly: string[] = []
    early.on('change', (event) => void seenEarly.push(event.id))
    await early.ready
    const transaction = { id: 'long', commitTime: new Date(0) }
    driver.deliver([{ kind: 'insert', new: ['1', 'a'], transaction }])
    await until(() => seenEarly.length === 1)
    const late = client.listen({ table: 'orders' })
    const seenLate: string[] = []
    late.on('change', (event) => void seenLate.push(event.id))
    await late.ready
    driver.deliver([{ kind: 'insert', new: ['2', 'a'], transaction }])
    driver.deliver([{ kind: 'insert', new: ['3', 'a'] }])
    await until(() => seenEarly.length === 3 && seenLate.length === 1)
    expect(seenLate).toEqual(['c3'])
  })

  test('each capture states the whole set, the union of what the listeners want', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const one = client.listen({ table: 'orders', operations: ['insert'], columns: ['status'] })
    await one.ready
    const two = client.listen({ table: 'orders', operations: ['delete'] })
    const three = client.listen({ table: 'items' })
    await Promise.all([two.ready, three.ready])
    await two.stop()
    const seen = driver.captured.map((requests) =>
      requests.map(({ table, operations, columns }) => [
        table.name,
        [...operations],
        columns === null ? null : [...columns],
      ]),
    )
    expect(seen).toEqual([
      [['orders', ['insert'], ['status', 'id']]],
      [
        ['orders', ['insert', 'delete'], null],
        ['items', ['insert', 'update', 'delete', 'truncate'], null],
      ],
      [
        ['orders', ['insert'], ['status', 'id']],
        ['items', ['insert', 'update', 'delete', 'truncate'], null],
      ],
    ])
  })

  test('leaving a loop stops its listener', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    driver.deliver([
      { kind: 'insert', new: ['1', 'a'] },
      { kind: 'insert', new: ['2', 'a'] },
    ])
    const seen: ChangeEvent[] = []
    for await (const event of listener) {
      seen.push(event)
      break
    }
    expect(seen).toHaveLength(1)
    expect(driver.captured.at(-1)).toEqual([])
  })

  test('an aborted signal stops the listener', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const abort = new AbortController()
    const listener = client.listen({ table: 'orders', signal: abort.signal })
    await listener.ready
    abort.abort()
    expect(await listener[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined })
  })
})

describe('bounds', () => {
  test('a full buffer stops the reading until half of it is free', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders', bufferBytes: 1000 })
    const gates: (() => void)[] = []
    listener.on('insert', () => new Promise<void>((resolve) => gates.push(resolve)))
    await listener.ready
    for (let batch = 0; batch < 10; batch++) driver.deliver([{ kind: 'insert', new: [String(batch), 'a'] }], 600)
    await until(() => gates.length === 1)
    // One change is with the handler, one is in the buffer: the third batch is not taken.
    await until(() => driver.taken === 2)
    await new Promise((resolve) => setImmediate(resolve))
    expect(driver.taken).toBe(2)
    gates[0]?.()
    await until(() => gates.length === 2)
    gates[1]?.()
    await until(() => driver.taken > 2)
    for (let handled = 2; handled < 10; handled++) {
      await until(() => gates.length > handled)
      gates[handled]?.()
    }
  })
})

describe('memory', () => {
  test('a few changes of a batch that are not done at once get memory of their own; most of a batch, or one that is handled at once, does not', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders', operations: ['delete'] })
    const gate = Promise.withResolvers<void>()
    const seen: string[] = []
    listener.on('delete', async (event) => {
      seen.push(event.id)
      await gate.promise
    })
    await listener.ready
    const inserts = Array.from({ length: 8 }, (_, id) => ({ kind: 'insert', new: [String(id), 'a'] }) as const)
    const remove = (id: string): ScriptedChange => ({ kind: 'delete', old: [id, 'a'] })
    driver.deliver([...inserts, remove('1'), remove('2'), remove('3')])
    driver.deliver([remove('4'), remove('5')])
    await until(() => driver.taken === 2)
    // With the handler, or behind the one that is.
    expect(driver.detached).toEqual(['c9', 'c10', 'c11'])
    gate.resolve()
    await until(() => seen.length === 5)
    expect(seen).toEqual(['c9', 'c10', 'c11', 'c12', 'c13'])
  })
})

describe('the memory of a batch', () => {
  test('is released when everything in it is done, once, and no sooner', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders', operations: ['insert'] })
    const gates: (() => void)[] = []
    listener.on('insert', async () => {
      await new Promise<void>((resolve) => gates.push(resolve))
    })
    await listener.ready
    driver.deliver([{ kind: 'delete', old: ['1', 'a'] }])
    await until(() => driver.released === 1)
    driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    driver.deliver([{ kind: 'delete', old: ['2', 'a'] }])
    await until(() => driver.released === 2)
    // The one that a handler has is garbage in the end: it was not done when the next was read.
    expect(gates).toHaveLength(1)
    gates[0]?.()
  })

  test('is released after quick handlers, without a wait for the next batch', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    const seen: string[] = []
    listener.on('insert', async (event) => {
      await Promise.resolve()
      seen.push(event.id)
    })
    await listener.ready
    driver.deliver(Array.from({ length: 100 }, (_, id) => ({ kind: 'insert', new: [String(id), 'a'] })))
    await until(() => driver.released === 1)
    expect(seen).toHaveLength(100)
  })

  test('is kept for what nobody has acknowledged', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders', ack: 'manual' })
    const acks: (() => void)[] = []
    listener.on('change', (event) => void acks.push(event.ack))
    await listener.ready
    driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    await until(() => acks.length === 1)
    driver.deliver([{ kind: 'delete', old: ['1', 'a'] }])
    await until(() => acks.length === 2)
    expect(driver.released).toBe(0)
    for (const ack of acks) ack()
  })
})

describe('closing', () => {
  test('hands over what was received, acknowledges it, and disconnects', async () => {
    const driver = scripted()
    const client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    let handled = 0
    listener.on('insert', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      handled++
    })
    await listener.ready
    const changes = driver.deliver([1, 2, 3].map((id) => ({ kind: 'insert', new: [String(id), 'a'] })))
    await until(() => driver.taken === 1)
    expect(await client.close()).toEqual({ unfinished: 0 })
    expect(handled).toBe(3)
    expect(driver.acknowledged.at(-1)).toBe(changes.at(-1)?.position)
    expect(driver.closed).toBe(1)
  })

  test('gives up after the time limit, says what is unfinished and does not acknowledge it', async () => {
    const driver = scripted()
    const client = await connect(driver)
    const listener = client.listen({ table: 'orders' })
    listener.on('insert', () => new Promise<void>(() => undefined))
    await listener.ready
    driver.deliver([1, 2, 3].map((id) => ({ kind: 'insert', new: [String(id), 'a'] })))
    await until(() => driver.taken === 1)
    expect(await client.close({ timeoutMs: 10 })).toEqual({ unfinished: 3 })
    expect(driver.acknowledged).toEqual([])
  })

  test('ends a listener that is not live yet', async () => {
    const driver = scripted()
    const client = await connect(driver)
    driver.onCapture = () =>
      new Promise((_, reject) => {
        driver.host?.signal.addEventListener('abort', () => reject(driver.host?.signal.reason as Error))
      })
    const listener = client.listen({ table: 'orders' })
    const ready = rejection(listener.ready)
    await client.close()
    expect((await ready).code).toBe('ERR_CLOSED')
  })
})

describe('refusals before the database is touched', () => {
  test.each([
    [
      'an unknown option',
      { table: 't', colums: ['a'] },
      'ERR_INVALID_OPTIONS',
      'listen() has no option "colums". Did you mean "columns"?',
    ],
    [
      'no table',
      {},
      'ERR_INVALID_OPTIONS',
      `listen() needs a 'table': its name as in SQL ("public.orders"), or { schema, name }.`,
    ],
    [
      'a word that is no operation',
      { table: 't', operations: ['inserts'] },
      'ERR_INVALID_OPTIONS',
      '"inserts" is not an operation: they are insert, update, delete, truncate. Did you mean "insert"?',
    ],
    [
      'a condition that is missing by mistake',
      { table: 't', where: undefined },
      'ERR_INVALID_OPTIONS',
      `'where' is undefined: leave it out to have every row.`,
    ],
    [
      'something that is no condition',
      { table: 't', where: { a: { gtt: 1 } } },
      'ERR_INVALID_OPTIONS',
      `'where' at "a" has no operator "gtt". Did you mean "gt"? The operators are eq, neq, lt, lte, gt, gte, in, notIn, isNull, like, notLike, ilike, notIlike, between, notBetween, isDistinctFrom, isNotDistinctFrom; a value that is an object is written { eq: … }.`,
    ],
  ])('%s', (_name, options, code, message) => {
    const driver = scripted()
    let thrown: unknown
    try {
      listen(driver, options as never)
    } catch (error) {
      thrown = error
    }
    expect(RowtapError.is(thrown) && [thrown.code, thrown.message]).toEqual([code, message])
    expect(driver.opened).toBe(0)
  })

  test('a subscription, where the driver has none', async () => {
    const driver = scripted()
    expect((await rejection(connect(driver, { subscription: 'billing' } as never))).code).toBe(
      'ERR_CAPABILITY_UNSUPPORTED',
    )
    expect(driver.opened).toBe(0)
  })
})

test('what connecting waits for is told to handlers that are given beforehand', async () => {
  const driver = scripted()
  const open = driver.open.bind(driver)
  driver.open = async (host) => {
    host.notify({ kind: 'wait', reason: 'an old transaction', processIds: [7] })
    return await open(host)
  }
  const heard: unknown[] = []
  await using client = await connect(driver, { on: { wait: (notice) => heard.push(notice) } })
  expect(heard).toEqual([{ kind: 'wait', reason: 'an old transaction', processIds: [7] }])
  const refused = await rejection(connect(driver, { on: { waits: () => undefined } } as never))
  expect(refused.message).toBe(`'on' has no option "waits". Did you mean "wait"?`)
  expect(client.acknowledged).toBeNull()
})

describe('listen() with a client of its own', () => {
  test('delivers, and closes the client with the listener', async () => {
    const driver = scripted()
    const listener = listen(driver, { table: 'orders' })
    await listener.ready
    driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    for await (const event of listener) {
      expect(event.kind).toBe('insert')
      break
    }
    expect(driver.closed).toBe(1)
  })

  test('leaves no client behind when it is refused', async () => {
    const driver = scripted()
    const listener = listen(driver, { table: 'nothing' })
    expect((await rejection(listener.ready)).code).toBe('ERR_SETUP_REQUIRED')
    await listener.stop()
    expect([driver.opened, driver.closed]).toEqual([1, 1])
  })

  test('tells what goes wrong while connecting', async () => {
    const driver = scripted()
    const failing = Object.assign(driver, {
      open: () => Promise.reject(new RowtapError('ERR_CONNECTION_FAILED', { message: 'nobody there' })),
    })
    expect((await rejection(listen(failing, { table: 'orders' }).ready)).message).toBe('nobody there')
  })
})
