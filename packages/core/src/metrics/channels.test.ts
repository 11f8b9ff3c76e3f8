import { describe, expect, test, vi } from 'vitest'
import type { Client, Listener } from '../client.ts'
import { connect, listen } from '../connect.ts'
import type { ListenOptions } from '../listen-options.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'
import type { ChannelMessages } from './channels.ts'
import { CHANNELS, subscribeTo } from './channels.ts'

const orders = textRelation('orders', ['id', 'status'])

interface Fixture extends AsyncDisposable {
  readonly driver: ScriptedDriver
  readonly client: Client<typeof SCRIPTED_CAPABILITIES>
  readonly listener: Listener<Record<string, unknown>, typeof SCRIPTED_CAPABILITIES>
}

async function listening(options: Partial<ListenOptions<typeof SCRIPTED_CAPABILITIES>> = {}): Promise<Fixture> {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  const client = await connect(driver, { on: { passedOver: () => undefined, error: () => undefined } })
  const listener = client.listen({ table: 'orders', ...options })
  await listener.ready
  return { driver, client, listener, [Symbol.asyncDispose]: async () => void (await client.close({ timeoutMs: 0 })) }
}

interface Heard<K extends keyof ChannelMessages> extends Disposable {
  readonly messages: ChannelMessages[K][]
}

function heard<K extends keyof ChannelMessages>(name: K): Heard<K> {
  const messages: ChannelMessages[K][] = []
  const end = subscribeTo(name, (message) => messages.push(message))
  return { messages, [Symbol.dispose]: end }
}

describe('a channel', () => {
  test('tells what was received, delivered and acknowledged, and of whom', async () => {
    await using fixture = await listening()
    using received = heard('rowtap:receive')
    using delivered = heard('rowtap:deliver')
    using acknowledged = heard('rowtap:acknowledge')
    const { client, driver, listener } = fixture
    listener.on('change', () => undefined)
    const [change] = driver.deliver([{ kind: 'insert', new: ['1', 'a'] }], 100)
    await until(() => acknowledged.messages.length > 0)
    expect(received.messages.map(({ changes, bytes }) => [changes, bytes])).toEqual([[1, 100]])
    expect(acknowledged.messages.map(({ position }) => position)).toEqual([change?.position])
    const [message] = delivered.messages
    expect([message?.event.id, message?.table.name]).toEqual(['c1', 'orders'])
    expect(message?.durationMs).toBeGreaterThanOrEqual(0)
    expect(message?.delayMs).toBeGreaterThan(0)
    expect(message?.listener).toBe(listener)
    for (const { client: of } of [...received.messages, ...delivered.messages, ...acknowledged.messages]) {
      expect(of).toBe(client)
    }
  })

  test('tells of retries and of what failed for good', async () => {
    await using fixture = await listening({ retry: { attempts: 2, minDelayMs: 1 }, onFailure: 'skip' })
    using retries = heard('rowtap:retry')
    using failures = heard('rowtap:failure')
    fixture.listener.on('change', () => {
      throw new Error('no')
    })
    fixture.driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    await until(() => failures.messages.length === 1)
    expect(retries.messages.map(({ event, attempts, error }) => [event.id, attempts, error])).toEqual([
      ['c1', 1, new Error('no')],
    ])
    expect(retries.messages[0]?.delayMs).toBeGreaterThan(0)
    expect(failures.messages.map(({ event, outcome, error }) => [event.id, outcome, error.code])).toEqual([
      ['c1', 'skip', 'ERR_HANDLER'],
    ])
    // A retry tells what was thrown, a failure what the listener's onFailure has: its cause is that.
    expect(failures.messages[0]?.error.cause).toEqual(new Error('no'))
    expect(failures.messages[0]?.durationMs).toBeGreaterThan(0)
    expect(failures.messages[0]?.delayMs).toBeGreaterThan(0)
  })

  test(`says 'stop' of the failure that stops a client`, async () => {
    await using fixture = await listening()
    using failures = heard('rowtap:failure')
    fixture.listener.on('change', () => {
      throw new Error('no')
    })
    fixture.driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    await until(() => fixture.driver.closed === 1)
    expect(failures.messages.map(({ outcome }) => outcome)).toEqual(['stop'])
  })

  test('has no client to name where the listener has one of its own', async () => {
    const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
    await using listener = listen(driver, { table: 'orders' })
    using delivered = heard('rowtap:deliver')
    listener.on('change', () => undefined)
    await listener.ready
    driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    await until(() => delivered.messages.length === 1)
    expect([delivered.messages[0]?.client, delivered.messages[0]?.listener === listener]).toEqual([null, true])
  })

  test('that nobody listens to costs no message', async () => {
    await using fixture = await listening({ retry: { attempts: 2, minDelayMs: 1 }, onFailure: 'skip' })
    const published = Object.values(CHANNELS).map((channel) => vi.spyOn(channel, 'publish'))
    fixture.listener.on('change', (event) => {
      if (event.id === 'c1') throw new Error('no')
    })
    const changes = fixture.driver.deliver(['1', '2'].map((id) => ({ kind: 'insert', new: [id, 'a'] })))
    await until(() => fixture.client.acknowledged === changes.at(-1)?.position)
    for (const spy of published) {
      expect(spy).not.toHaveBeenCalled()
      spy.mockRestore()
    }
  })

  test('has no subscriber once the subscription is ended, and the other stays', () => {
    const handler = (): void => undefined
    const first = subscribeTo('rowtap:deliver', handler)
    const second = subscribeTo('rowtap:deliver', handler)
    first()
    first()
    expect(CHANNELS['rowtap:deliver'].hasSubscribers).toBe(true)
    second()
    expect(CHANNELS['rowtap:deliver'].hasSubscribers).toBe(false)
  })
})
