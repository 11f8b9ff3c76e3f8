import { expect, test, vi } from 'vitest'
import { gatedHandler, inserts, scriptedClient, soon } from '../testing/scripted-client.ts'

import type { GatedHandler, ScriptedClient } from '../testing/scripted-client.ts'
import { until } from '../testing/until.ts'
import type { Listener } from '../client.ts'

const LONG = 100_000

interface Busy extends Pick<ScriptedClient, 'client' | 'driver'>, GatedHandler {
  readonly listener: Listener
  readonly abort: AbortController
}

/** A listener whose handler has the first of two changes until it is told to end. */
async function busyListener(): Promise<Busy> {
  const { client, driver } = await scriptedClient('durable')
  const abort = new AbortController()
  const listener = client.listen({ table: 'orders', signal: abort.signal })
  const gated = gatedHandler()
  listener.on('change', gated.handler)
  await listener.ready
  driver.deliver(inserts('1', '2'))
  await until(() => gated.begun.length === 1)
  return { client, driver, listener, abort, ...gated }
}

const ENDS: readonly (readonly [how: string, end: (busy: Busy) => Promise<unknown> | null])[] = [
  ['a longer stop()', ({ listener }) => listener.stop({ timeoutMs: LONG })],
  ['its disposal', ({ listener }) => Promise.resolve(listener[Symbol.asyncDispose]())],
  [
    'its signal',
    ({ abort }) => {
      abort.abort()
      return null
    },
  ],
]

test.each(ENDS)('a stop() after %s waits for its own time only', async (_how, end) => {
  const busy = await busyListener()
  const ended = end(busy)
  expect(await busy.listener.stop({ timeoutMs: 1 })).toEqual({ unfinished: 2 })
  expect(await busy.listener.stop({ timeoutMs: 1, discard: true })).toEqual({ unfinished: 1 })
  expect(busy.begun).toEqual(['c1'])
  busy.end('c1')
  await ended
  await busy.client.close({ timeoutMs: 0 })
})

test('a shorter stop() does not take the time from a longer one', async () => {
  const { client, driver, listener, begun, end } = await busyListener()
  const long = listener.stop({ timeoutMs: LONG })
  expect(await listener.stop({ timeoutMs: 1 })).toEqual({ unfinished: 2 })
  end('c1')
  await until(() => begun.length === 2)
  end('c2')
  expect(await long).toEqual({ unfinished: 0 })
  await until(() => driver.acknowledged.length === 1)
  await client.close()
})

test('an earlier stop() does not take the time from a later one', async () => {
  const { client, listener, begun, end } = await busyListener()
  const short = listener.stop({ timeoutMs: 1 })
  const long = listener.stop({ timeoutMs: LONG })
  expect(await short).toEqual({ unfinished: 2 })
  end('c1')
  await until(() => begun.length === 2)
  end('c2')
  expect(await long).toEqual({ unfinished: 0 })
  await client.close()
})

test('what waits is left when the last time is over', async () => {
  const { client, listener, begun, end } = await busyListener()
  const stopped = [listener.stop({ timeoutMs: 1 }), listener.stop({ timeoutMs: 20 })]
  expect(await Promise.all(stopped)).toEqual([{ unfinished: 2 }, { unfinished: 2 }])
  end('c1')
  await soon()
  expect(begun).toEqual(['c1'])
  expect(await listener.stop({ timeoutMs: LONG })).toEqual({ unfinished: 1 })
  await client.close()
})

test.each(ENDS)('a closed client leaves no timer behind: after %s', async (_how, end) => {
  const busy = await busyListener()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const ended = end(busy)
    expect(vi.getTimerCount()).toBe(1)
    const closed = busy.client.close({ timeoutMs: 1 })
    await vi.advanceTimersByTimeAsync(2)
    await closed
    await ended
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
