import { describe, expect, test } from 'vitest'
import { connect } from '../connect.ts'
import type { LogicalMessage } from '../contract/logical-message.ts'
import type { RowtapError } from '../rowtap-error.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const orders = textRelation('orders', ['id', 'status'])

function scripted(): ScriptedDriver {
  return new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
}

test('a message is handled after what comes before it was handed over, and before what comes after', async () => {
  const driver = scripted()
  const log: string[] = []
  await using client = await connect(driver, {
    messages: true,
    on: {
      message: async ({ prefix, content }) => {
        log.push(`begin ${prefix}`)
        await new Promise((resolve) => setImmediate(resolve))
        log.push(`end ${prefix} ${Buffer.from(content).toString()}`)
      },
    },
  })
  const listener = client.listen({ table: 'orders' })
  listener.on('insert', (event) => void log.push(event.id))
  await listener.ready
  driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
  driver.tell('first', 'x')
  driver.tell('second', 'y')
  const [last] = driver.deliver([{ kind: 'insert', new: ['2', 'a'] }])
  await until(() => log.length === 6)
  expect(log).toEqual(['c1', 'begin first', 'end first x', 'begin second', 'end second y', 'c4'])
  await until(() => client.acknowledged === last?.position)
})

test('messages wait for the first handler, and with them what comes after', async () => {
  const driver = scripted()
  await using client = await connect(driver, { messages: true })
  const listener = client.listen({ table: 'orders' })
  const log: string[] = []
  listener.on('insert', (event) => void log.push(event.id))
  await listener.ready
  driver.tell('first')
  driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
  await until(() => driver.taken === 1)
  expect([log, driver.acknowledged]).toEqual([[], []])
  const off = client.on('message', ({ id }) => void log.push(id))
  await until(() => log.length === 2)
  expect(log).toEqual(['m1', 'c2'])
  off()
  const last = driver.tell('third')
  await until(() => driver.acknowledged.at(-1) === last.position)
  expect(log).toHaveLength(2)
})

const DURABLE = {
  ...SCRIPTED_CAPABILITIES,
  delivery: { acknowledgement: 'database', subscription: 'database', reconnect: false },
} as const

/** A subscription that captured the table when it last ran. */
function resumed(): ScriptedDriver<typeof DURABLE> {
  const driver = new ScriptedDriver([orders], DURABLE)
  driver.resumed = [
    {
      table: { schema: 'public', name: 'orders' },
      operations: new Set(['insert']),
      columns: null,
      comparedEnums: new Set(),
    },
  ]
  return driver
}

describe('a client for messages alone, whose subscription once had tables,', () => {
  test('reads from the start with a handler that was given', async () => {
    const driver = resumed()
    const seen: string[] = []
    await using client = await connect(driver, {
      subscription: 's',
      messages: true,
      on: { message: ({ prefix }) => void seen.push(prefix) },
    })
    const last = driver.tell('one')
    await until(() => client.acknowledged === last.position)
    expect(seen).toEqual(['one'])
  })

  test('reads from the first handler on', async () => {
    const driver = resumed()
    const seen: string[] = []
    await using client = await connect(driver, { subscription: 's', messages: true })
    const last = driver.tell('one')
    client.on('message', ({ prefix }) => void seen.push(prefix))
    await until(() => client.acknowledged === last.position)
    expect(seen).toEqual(['one'])
  })

  test('waits for listeners of these tables no longer than it says, and tells which had none', async () => {
    const driver = resumed()
    const seen: string[] = []
    const gaps: string[] = []
    await using client = await connect(driver, {
      subscription: 's',
      resumeTimeoutMs: 1,
      messages: true,
      on: { message: ({ prefix }) => void seen.push(prefix), gap: ({ reason }) => void gaps.push(reason) },
    })
    driver.deliver([{ kind: 'insert', new: ['1', 'a'] }])
    const last = driver.tell('behind a change that nobody takes')
    await until(() => client.acknowledged === last.position)
    expect(seen).toHaveLength(1)
    expect(gaps).toEqual([expect.stringContaining('public.orders')])
  })
})

test('only the prefixes that are asked for are handled, and all messages are acknowledged', async () => {
  const driver = scripted()
  const seen: LogicalMessage[] = []
  await using client = await connect(driver, {
    messages: { prefixes: ['outbox'] },
    on: { message: (message) => void seen.push(message) },
  })
  expect(driver.host?.messages).toBe(true)
  driver.tell('noise')
  const wanted = driver.tell('outbox')
  const last = driver.tell('noise')
  await until(() => client.acknowledged === last.position)
  expect(seen).toEqual([wanted])
})

test('a handler that fails stops the client, and nothing from there on is acknowledged', async () => {
  const driver = scripted()
  const errors: RowtapError[] = []
  await using client = await connect(driver, {
    messages: true,
    on: {
      error: (error) => void errors.push(error),
      message: ({ prefix }) => {
        if (prefix === 'bad') throw new TypeError('no')
      },
    },
  })
  const good = driver.tell('good')
  await until(() => client.acknowledged === good.position)
  const bad = driver.tell('bad')
  driver.tell('good')
  await until(() => errors.length === 1)
  expect(errors[0]).toMatchObject({ code: 'ERR_HANDLER', eventId: bad.id, cause: new TypeError('no') })
  expect(errors[0]?.message).toContain('"bad"')
  expect(await client.close()).toEqual({ unfinished: 1 })
  expect(driver.acknowledged).toEqual([good.position])
})

test('closing waits for the handler that runs, and acknowledges what it did', async () => {
  const driver = scripted()
  const handler = Promise.withResolvers<void>()
  let begun = false
  const client = await connect(driver, {
    messages: true,
    on: {
      message: () => {
        begun = true
        return handler.promise
      },
    },
  })
  const message = driver.tell('slow')
  driver.tell('never handled')
  await until(() => begun)
  const closing = client.close()
  await new Promise((resolve) => setImmediate(resolve))
  expect(driver.closed).toBe(0)
  handler.resolve()
  expect(await closing).toEqual({ unfinished: 0 })
  expect(driver.acknowledged).toEqual([message.position])
})

test('closing gives up a handler that takes too long, and a message that has none', async () => {
  const slow = scripted()
  const handler = Promise.withResolvers<void>()
  let calls = 0
  const client = await connect(slow, { messages: true, on: { message: () => ((calls += 1), handler.promise) } })
  slow.tell('slow')
  await until(() => calls === 1)
  expect(await client.close({ timeoutMs: 1 })).toEqual({ unfinished: 1 })
  handler.resolve()
  expect(slow.acknowledged).toEqual([])

  const none = scripted()
  const waiting = await connect(none, { messages: true })
  waiting.listen({ table: 'orders' })
  none.tell('nobody is there')
  await until(() => none.taken === 1)
  expect(await waiting.close()).toEqual({ unfinished: 1 })
  waiting.on('message', () => void (calls += 1))
  await new Promise((resolve) => setImmediate(resolve))
  expect([calls, none.acknowledged]).toEqual([1, []])
})

test('a handler that closes its client does not wait for itself', async () => {
  const driver = scripted()
  const client = await connect(driver, { messages: true })
  const closed = Promise.withResolvers<unknown>()
  client.on('message', async () => closed.resolve(await client.close()))
  driver.tell('last')
  expect(await closed.promise).toEqual({ unfinished: 1 })
  expect(driver.closed).toBe(1)
})

test('without the option there are no messages, and asking for them says what is missing', async () => {
  const driver = scripted()
  await using client = await connect(driver)
  expect(driver.host?.messages).toBe(false)
  expect(() => client.on('message', () => undefined)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTIONS', message: expect.stringContaining('messages: true') }),
  )
  await expect(connect(driver, { on: { message: () => undefined } })).rejects.toMatchObject({
    code: 'ERR_INVALID_OPTIONS',
  })
})

test.each([
  '{"messages":"outbox"}',
  '{"messages":{"prefixes":"outbox"}}',
  '{"messages":{"prefixes":[]}}',
  '{"messages":{"prefix":["outbox"]}}',
])('refuses %s', async (json) => {
  const options = JSON.parse(json) as { readonly messages: boolean }
  await expect(connect(scripted(), options)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' })
})

test('a driver that has no messages refuses them before it is opened', async () => {
  const driver = new ScriptedDriver([orders], { ...SCRIPTED_CAPABILITIES, messages: { logical: false } })
  // @ts-expect-error the manifest says false
  const connecting = connect(driver, { messages: true })
  await expect(connecting).rejects.toMatchObject({
    code: 'ERR_CAPABILITY_UNSUPPORTED',
    message: expect.stringContaining('messages.logical'),
  })
  expect(driver.opened).toBe(0)
})
