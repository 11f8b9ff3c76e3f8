import { describe, expect, test } from 'vitest'
import type { Client, Listener } from '../client.ts'
import { connect } from '../connect.ts'
import type { Acknowledgeable, ChangeEvent } from '../event.ts'
import type { ListenOptions } from '../listen-options.ts'
import type { RowtapError } from '../rowtap-error.ts'
import { gatedHandler } from '../testing/scripted-client.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const orders = textRelation('orders', ['id', 'status'])

interface Fixture extends AsyncDisposable {
  readonly driver: ScriptedDriver
  readonly client: Client<typeof SCRIPTED_CAPABILITIES>
  readonly listener: Listener<Record<string, unknown>, typeof SCRIPTED_CAPABILITIES>
}

async function listening(options: Partial<ListenOptions<typeof SCRIPTED_CAPABILITIES>>): Promise<Fixture> {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  const client = await connect(driver)
  const listener = client.listen({ table: 'orders', ...options })
  await listener.ready
  return { driver, client, listener, [Symbol.asyncDispose]: async () => void (await client.close({ timeoutMs: 0 })) }
}

function insert(id: string): { readonly kind: 'insert'; readonly new: readonly string[] } {
  return { kind: 'insert', new: [id, 'new'] }
}

describe('concurrency', () => {
  test('so many events are with handlers at once, and those of one key stay in order', async () => {
    await using fixture = await listening({ concurrency: 2 })
    const { handler, begun, end } = gatedHandler()
    fixture.listener.on('change', handler)
    fixture.driver.deliver([insert('a'), insert('a'), insert('b'), insert('c')])
    await until(() => begun.length === 2)
    expect(begun).toEqual(['c1', 'c3'])
    end('c3')
    await until(() => begun.length === 3)
    expect(begun).toEqual(['c1', 'c3', 'c4'])
    end('c1')
    await until(() => begun.length === 4)
    expect(begun.at(-1)).toBe('c2')
    end('c4')
    end('c2')
    await until(() => fixture.client.acknowledged !== null)
  })

  test('a truncate waits for everything before it, and everything after it waits for the truncate', async () => {
    await using fixture = await listening({ concurrency: 4 })
    const { handler, begun, end } = gatedHandler()
    fixture.listener.on('change', handler)
    fixture.driver.deliver([insert('a'), insert('b'), { kind: 'truncate' }, insert('c')])
    await until(() => begun.length === 2)
    end('c1')
    await new Promise((resolve) => setImmediate(resolve))
    expect(begun).toEqual(['c1', 'c2'])
    end('c2')
    await until(() => begun.length === 3)
    await new Promise((resolve) => setImmediate(resolve))
    expect(begun).toEqual(['c1', 'c2', 'c3'])
    end('c3')
    await until(() => begun.length === 4)
    end('c4')
  })

  test(`with orderBy 'none' events of one key overtake each other`, async () => {
    await using fixture = await listening({ concurrency: 2, orderBy: 'none' })
    const { handler, begun, end } = gatedHandler()
    fixture.listener.on('change', handler)
    fixture.driver.deliver([insert('a'), insert('a')])
    await until(() => begun.length === 2)
    end('c2')
    end('c1')
    await until(() => fixture.client.acknowledged !== null)
  })

  test('what is not finished is not acknowledged, whatever finished after it', async () => {
    await using fixture = await listening({ concurrency: 2 })
    const { handler, begun, end } = gatedHandler()
    fixture.listener.on('change', handler)
    fixture.driver.deliver([insert('a')])
    const [second] = fixture.driver.deliver([insert('b')])
    await until(() => begun.length === 2)
    end('c2')
    await new Promise((resolve) => setImmediate(resolve))
    expect(fixture.client.acknowledged).toBeNull()
    end('c1')
    await until(() => fixture.client.acknowledged === second?.position)
  })

  test('a listener that is stopped with discard lets its running handlers finish and begins no other', async () => {
    await using fixture = await listening({ concurrency: 2 })
    const { handler, begun, end } = gatedHandler()
    fixture.listener.on('change', handler)
    const changes = fixture.driver.deliver([insert('a'), insert('b'), insert('a'), insert('c')])
    await until(() => begun.length === 2)
    const stopped = fixture.listener.stop({ discard: true })
    end('c1')
    await new Promise((resolve) => setImmediate(resolve))
    expect(fixture.client.acknowledged).toBeNull()
    end('c2')
    await stopped
    expect(begun).toEqual(['c1', 'c2'])
    await until(() => fixture.client.acknowledged === changes.at(-1)?.position)
  })
})

describe('retry', () => {
  test('a handler that fails is called again, in order for its key; those before it are not', async () => {
    await using fixture = await listening({ retry: { attempts: 3, minDelayMs: 1 } })
    const log: string[] = []
    let failures = 2
    fixture.listener.on('change', (event) => void log.push(`first ${event.id}`))
    fixture.listener.on('change', (event) => {
      log.push(`second ${event.id}`)
      if (event.id === 'c1' && failures-- > 0) throw new Error('not yet')
    })
    const changes = fixture.driver.deliver([insert('a'), insert('b')])
    await until(() => fixture.client.acknowledged === changes.at(-1)?.position)
    expect(log).toEqual(['first c1', 'second c1', 'second c1', 'second c1', 'first c2', 'second c2'])
  })

  test('when the attempts are used up, the client stops and says how many there were', async () => {
    await using fixture = await listening({ retry: { attempts: 2, minDelayMs: 1 } })
    const failed = Promise.withResolvers<RowtapError>()
    fixture.client.on('error', failed.resolve)
    fixture.listener.on('change', async () => await Promise.reject(new Error('never')))
    fixture.driver.deliver([insert('a')])
    const { message, eventId, table } = await failed.promise
    expect(message).toBe('A handler for public.orders failed on insert c1 (2 attempts): never')
    expect([eventId, table]).toEqual(['c1', { schema: 'public', name: 'orders' }])
    expect(fixture.driver.acknowledged).toEqual([])
  })

  test('a client that closes does not wait for a retry that lies far ahead, and does not acknowledge it', async () => {
    await using fixture = await listening({ retry: { attempts: 2, minDelayMs: 3_600_000, maxDelayMs: 3_600_000 } })
    let calls = 0
    fixture.listener.on('change', () => {
      calls++
      throw new Error('not yet')
    })
    fixture.driver.deliver([insert('a')])
    await until(() => calls === 1)
    expect(await fixture.client.close({ timeoutMs: 1 })).toEqual({ unfinished: 1 })
    expect(fixture.driver.acknowledged).toEqual([])
  })
})

describe('an event whose handler failed for good', () => {
  test(`is acknowledged and told with onFailure 'skip'`, async () => {
    await using fixture = await listening({ onFailure: 'skip' })
    const told: string[] = []
    fixture.client.on('passedOver', ({ kind, event, error }) => told.push(`${kind} ${event.id} ${error.code}`))
    fixture.listener.on('change', () => {
      throw new Error('no')
    })
    const [change] = fixture.driver.deliver([insert('a')])
    await until(() => fixture.client.acknowledged === change?.position)
    expect(told).toEqual(['skip c1 ERR_HANDLER'])
  })

  test('is acknowledged when its dead-letter handler is done, and not before', async () => {
    const gate = Promise.withResolvers<void>()
    const dead: string[] = []
    await using fixture = await listening({
      onFailure: async (event, error) => {
        dead.push(`${event.id} ${(error.cause as Error).message}`)
        await gate.promise
      },
    })
    fixture.listener.on('change', () => {
      throw new Error('no')
    })
    const [change] = fixture.driver.deliver([insert('a')])
    await until(() => dead.length === 1)
    expect(dead).toEqual(['c1 no'])
    expect(fixture.client.acknowledged).toBeNull()
    gate.resolve()
    await until(() => fixture.client.acknowledged === change?.position)
  })

  test('stops the client when its dead-letter handler fails, too', async () => {
    await using fixture = await listening({ onFailure: async () => await Promise.reject(new Error('full')) })
    const failed = Promise.withResolvers<RowtapError>()
    fixture.client.on('error', failed.resolve)
    fixture.listener.on('change', () => {
      throw new Error('no')
    })
    fixture.driver.deliver([insert('a')])
    const { message, table, cause } = await failed.promise
    expect(message).toContain('the dead-letter handler failed on it: full')
    // What the handler threw, and what the dead-letter handler did.
    expect(cause).toEqual(new AggregateError([new Error('no'), new Error('full')], message))
    expect((cause as AggregateError).errors).toEqual([new Error('no'), new Error('full')])
    expect(table?.name).toBe('orders')
  })
})

describe('manual acknowledgement', () => {
  test('an event is done when it is acknowledged, not when its handler is', async () => {
    await using fixture = await listening({ operations: ['truncate'] })
    const { listener, events } = await manual(fixture.client)
    const [first, second] = fixture.driver.deliver([insert('a')]).concat(fixture.driver.deliver([insert('b')]))
    await until(() => events.length === 2)
    const [ackFirst, ackSecond] = events.map((event) => event.ack)
    ackSecond?.()
    ackSecond?.()
    expect(fixture.client.acknowledged).toBeNull()
    ackFirst?.()
    expect(fixture.client.acknowledged).toBe(second?.position)
    expect(first?.position).toBeDefined()
    await listener.stop()
  })

  test('an event of a loop is done when it is acknowledged, not when the loop goes on', async () => {
    await using fixture = await listening({ operations: ['truncate'] })
    const { driver, client } = fixture
    const listener = client.listen({ table: 'orders', ack: 'manual' })
    await listener.ready
    const loop = listener[Symbol.asyncIterator]()
    driver.deliver([insert('a')])
    const second = driver.deliver([insert('b')])
    const events = [await loop.next(), await loop.next()].map(({ value }: { value?: Acknowledgeable }) => value)
    expect(client.acknowledged).toBeNull()
    events[1]?.ack()
    expect(client.acknowledged).toBeNull()
    events[0]?.ack()
    expect(client.acknowledged).toBe(second[0]?.position)
  })

  test('an event that is acknowledged, and then skipped because its handler failed, counts once', async () => {
    await using fixture = await listening({ operations: ['truncate'] })
    const { driver, client } = fixture
    client.on('passedOver', () => undefined)
    const listener = client.listen({ table: 'orders', ack: 'manual', onFailure: 'skip' })
    const events: (ChangeEvent & Acknowledgeable)[] = []
    listener.on('change', (event) => {
      events.push(event)
      if (event.kind !== 'delete') return
      event.ack()
      throw new Error('too late')
    })
    await listener.ready
    // A change of the key: two events, both of which have to be done.
    const [change] = driver.deliver([{ kind: 'update', new: ['b', 'new'], old: ['a', 'new'] }])
    await until(() => events.length === 2)
    expect(client.acknowledged).toBeNull()
    events[1]?.ack()
    expect(client.acknowledged).toBe(change?.position)
  })

  test('what nobody acknowledged before the end is not acknowledged, and a later ack changes nothing', async () => {
    await using fixture = await listening({ operations: ['truncate'] })
    const { events } = await manual(fixture.client)
    fixture.driver.deliver([insert('a')])
    await until(() => events.length === 1)
    expect(await fixture.client.close({ timeoutMs: 1 })).toEqual({ unfinished: 1 })
    events[0]?.ack()
    expect(fixture.driver.acknowledged).toEqual([])
  })

  test('an event is plain data all the same', async () => {
    await using fixture = await listening({ operations: ['truncate'] })
    const { events } = await manual(fixture.client)
    fixture.driver.deliver([insert('a')])
    await until(() => events.length === 1)
    expect(Object.keys(events[0] ?? {})).not.toContain('ack')
  })
})

/** A listener whose events the test acknowledges, once they were with its handler. */
async function manual(client: Client<typeof SCRIPTED_CAPABILITIES>): Promise<{
  readonly listener: Listener<Record<string, unknown>, typeof SCRIPTED_CAPABILITIES, 'manual'>
  readonly events: (ChangeEvent & Acknowledgeable)[]
}> {
  const listener = client.listen({ table: 'orders', ack: 'manual' })
  const events: (ChangeEvent & Acknowledgeable)[] = []
  listener.on('change', (event) => void events.push(event))
  await listener.ready
  return { listener, events }
}

test('1,000 listeners that come and go leave no handler of their signal behind', async () => {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  await using client = await connect(driver)
  const abort = new AbortController()
  let added = 0
  let removed = 0
  const add = abort.signal.addEventListener.bind(abort.signal)
  abort.signal.addEventListener = (type: string, listener: never, options?: AddEventListenerOptions): void => {
    added++
    options?.signal?.addEventListener('abort', () => removed++)
    add(type, listener, options)
  }
  for (let round = 0; round < 1000; round++) {
    const listener = client.listen({ table: 'orders', signal: abort.signal })
    await listener.ready
    await listener.stop()
  }
  expect([added, removed]).toEqual([1000, 1000])
  expect(driver.captured.at(-1)).toEqual([])
})
