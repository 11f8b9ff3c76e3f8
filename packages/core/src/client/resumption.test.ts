import { describe, expect, test } from 'vitest'
import type { ClientSignals } from '../client.ts'
import { connect } from '../connect.ts'
import type { CaptureRequest } from '../contract/driver.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const CAPABILITIES = {
  ...SCRIPTED_CAPABILITIES,
  delivery: { acknowledgement: 'database', subscription: 'database', reconnect: false },
} as const

const orders = textRelation('orders', ['id'])
const items = textRelation('items', ['id'])
const notes = textRelation('notes', ['id'])

function resumed(name: string, operations: readonly ('insert' | 'update' | 'delete' | 'truncate')[]): CaptureRequest {
  return { table: { schema: 'public', name }, operations: new Set(operations), columns: null, comparedEnums: new Set() }
}

function scripted(...names: readonly string[]): ScriptedDriver<typeof CAPABILITIES> {
  const driver = new ScriptedDriver([orders, items, notes], CAPABILITIES)
  driver.resumed = names.map((name) => resumed(name, ['insert', 'update', 'delete', 'truncate']))
  return driver
}

function tablesOf(requests: readonly CaptureRequest[] | undefined): readonly string[] | undefined {
  return requests?.map(({ table }) => table.name).toSorted()
}

describe('a subscription that goes on', () => {
  test('delivers to listeners that come one after another everything since it last ran, in order', async () => {
    const driver = scripted('orders', 'items')
    await using client = await connect(driver, { subscription: 'billing' })
    const changes = driver.deliver([
      { kind: 'insert', new: ['1'] },
      { kind: 'insert', relation: items, new: ['2'] },
      { kind: 'insert', new: ['3'] },
    ])
    const log: string[] = []
    const first = client.listen({ table: 'orders' })
    first.on('insert', (event) => void log.push(`orders ${String(event.new['id'])}`))
    await first.ready
    await until(() => log.length === 1)
    await until(() => driver.acknowledged.length === 1)
    expect(driver.acknowledged).toEqual([changes[0]?.position])
    expect(tablesOf(driver.captured.at(-1))).toEqual(['items', 'orders'])

    const second = client.listen({ table: 'items' })
    second.on('insert', (event) => void log.push(`items ${String(event.new['id'])}`))
    await second.ready
    await until(() => log.length === 3)
    expect(log).toEqual(['orders 1', 'items 2', 'orders 3'])
    await until(() => driver.acknowledged.at(-1) === changes[2]?.position)
  })

  test('reads nothing before the first listener, and acknowledges nothing when none comes', async () => {
    const driver = scripted('orders')
    const client = await connect(driver, { subscription: 'billing', resumeTimeoutMs: 0 })
    driver.deliver([{ kind: 'insert', new: ['1'] }])
    await client.close()
    expect([driver.taken, driver.acknowledged, driver.captured]).toEqual([0, [], []])
  })

  test('gives the second listener of a table, attached once the first is ready, all that the first is given', async () => {
    const driver = scripted('orders', 'items')
    const gaps: string[] = []
    await using client = await connect(driver, {
      subscription: 'billing',
      on: { gap: ({ reason }) => gaps.push(reason) },
    })
    driver.deliver([{ kind: 'insert', new: ['1'] }])
    driver.deliver([{ kind: 'insert', relation: items, new: ['2'] }])
    const log: string[] = []
    const attach = async (name: string, table: string): Promise<void> => {
      const listener = client.listen({ table })
      listener.on('insert', (event) => void log.push(`${name} ${String(event.new['id'])}`))
      await listener.ready
    }
    await attach('first', 'orders')
    await attach('second', 'items')
    await attach('third', 'orders')
    await until(() => log.length === 3)
    expect(log.toSorted()).toEqual(['first 1', 'second 2', 'third 1'])
    expect(gaps).toEqual([])
  })

  test('tells a listener that comes when changes of its table are with others already, and gives it the rest', async () => {
    const driver = scripted('orders')
    const gaps: ClientSignals['gap'][] = []
    await using client = await connect(driver, {
      subscription: 'billing',
      on: { gap: (gap) => gaps.push(gap) },
    })
    const [one] = driver.deliver([{ kind: 'insert', new: ['1'] }])
    driver.deliver([{ kind: 'insert', new: ['2'] }])
    driver.deliver([{ kind: 'insert', new: ['3'] }])
    const handled = Promise.withResolvers<void>()
    const log: string[] = []
    const first = client.listen({ table: 'orders', bufferBytes: 1 })
    first.on('insert', async (event) => {
      log.push(`first ${String(event.new['id'])}`)
      await handled.promise
    })
    await until(() => log.length === 1)
    const late = client.listen({ table: 'orders' })
    late.on('insert', (event) => void log.push(`late ${String(event.new['id'])}`))
    await late.ready
    expect(gaps).toMatchObject([{ from: null, to: one?.position, reason: expect.stringContaining('public.orders') }])
    handled.resolve()
    await until(() => log.length === 5)
    expect(log.toSorted()).toEqual(['first 1', 'first 2', 'first 3', 'late 2', 'late 3'])
  })

  test('tells no gap to a listener that comes before any change of its table, nor to one that comes much later', async () => {
    const driver = scripted('orders', 'items')
    const gaps: string[] = []
    await using client = await connect(driver, {
      subscription: 'billing',
      resumeTimeoutMs: 0,
      on: { gap: ({ reason }) => gaps.push(reason) },
    })
    driver.deliver([{ kind: 'insert', new: ['1'] }])
    const log: string[] = []
    const listen = (table: string): Promise<void> => {
      const listener = client.listen({ table })
      listener.on('insert', (event) => void log.push(`${table} ${String(event.new['id'])}`))
      return listener.ready
    }
    await Promise.all([listen('orders'), listen('items')])
    await until(() => log.length === 1)
    await listen('items')
    driver.deliver([{ kind: 'insert', relation: items, new: ['2'] }])
    await until(() => log.length === 3)
    // Everything that was there when the first listener was attached is read now.
    await listen('orders')
    expect(gaps).toEqual([])
    expect(log).toEqual(['orders 1', 'items 2', 'items 2'])
  })

  test('waits for listeners that are being attached no longer than it says, and tells that it waits', async () => {
    const driver = scripted('orders')
    const gaps: string[] = []
    await using client = await connect(driver, {
      subscription: 'billing',
      resumeTimeoutMs: 50,
      on: { gap: ({ reason }) => gaps.push(reason) },
    })
    driver.deliver([{ kind: 'insert', new: ['1'] }])
    const log: unknown[] = []
    const first = client.listen({ table: 'orders' })
    first.on('insert', (event) => void log.push(event.new['id']))
    await first.ready
    const captured = Promise.withResolvers<void>()
    driver.onCapture = () => captured.promise
    const slow = client.listen({ table: 'notes' })
    await until(() => log.length === 1)
    captured.resolve()
    await slow.ready
    expect(gaps).toEqual([])
  })

  test('tells which tables have no listener in time, captures them no more, and reads on', async () => {
    const driver = scripted('orders', 'items')
    const gaps: ClientSignals['gap'][] = []
    await using client = await connect(driver, {
      subscription: 'billing',
      resumeTimeoutMs: 20,
      on: { gap: (gap) => gaps.push(gap) },
    })
    const changes = driver.deliver([
      { kind: 'insert', relation: items, new: ['1'] },
      { kind: 'insert', new: ['2'] },
    ])
    const log: string[] = []
    client.listen({ table: 'orders' }).on('insert', (event) => void log.push(String(event.new['id'])))
    await until(() => log.length === 1)
    expect(gaps).toMatchObject([{ kind: 'gap', reason: expect.stringContaining('public.items') }])
    await until(() => driver.acknowledged.at(-1) === changes[1]?.position)
    await until(() => tablesOf(driver.captured.at(-1))?.join() === 'orders')
  })

  test('tells what it waits for, and closes while it waits', async () => {
    const driver = scripted('orders', 'items')
    const waits: ClientSignals['wait'][] = []
    const client = await connect(driver, {
      subscription: 'billing',
      resumeTimeoutMs: Infinity,
      on: { wait: (notice) => waits.push(notice) },
    })
    driver.deliver([{ kind: 'insert', relation: items, new: ['1'] }])
    await client.listen({ table: 'orders' }).ready
    await until(() => waits.length > 0)
    expect(waits).toMatchObject([{ reason: expect.stringContaining('public.items'), processIds: [] }])
    await client.close()
    expect(driver.acknowledged).toEqual([])
  })

  test('shows a listener of a table that it did not capture only what comes after', async () => {
    const driver = scripted('orders')
    await using client = await connect(driver, { subscription: 'billing' })
    driver.deliver([
      { kind: 'insert', new: ['1'] },
      { kind: 'insert', relation: notes, new: ['2'] },
    ])
    const log: string[] = []
    const late = client.listen({ table: 'notes' })
    late.on('insert', (event) => void log.push(`notes ${String(event.new['id'])}`))
    await late.ready
    client.listen({ table: 'orders' }).on('insert', (event) => void log.push(`orders ${String(event.new['id'])}`))
    await until(() => log.length === 1)
    driver.deliver([{ kind: 'insert', relation: notes, new: ['3'] }])
    await until(() => log.length === 2)
    expect(log).toEqual(['orders 1', 'notes 3'])
  })

  test('says that operations were not captured which a listener wants now', async () => {
    const driver = scripted()
    driver.resumed = [resumed('orders', ['insert', 'truncate'])]
    const gaps: unknown[] = []
    await using client = await connect(driver, {
      subscription: 'billing',
      on: { gap: ({ reason, tables }) => gaps.push({ reason, tables }) },
    })
    await client.listen({ table: 'orders', operations: ['insert', 'update'] }).ready
    expect(gaps).toEqual([
      {
        reason: 'The subscription captured insert and truncate of public.orders only: update until now was missed.',
        tables: [{ schema: 'public', name: 'orders' }],
      },
    ])
  })

  test('keeps a table for the next listener when the first one cannot be attached', async () => {
    const driver = scripted('orders')
    await using client = await connect(driver, { subscription: 'billing' })
    driver.deliver([{ kind: 'insert', new: ['1'] }])
    driver.onCapture = () => Promise.reject(new Error('not now'))
    await expect(client.listen({ table: 'orders' }).ready).rejects.toThrow('not now')
    driver.onCapture = () => undefined
    const log: unknown[] = []
    client.listen({ table: 'orders' }).on('insert', (event) => void log.push(event.new['id']))
    await until(() => log.length === 1)
    expect(log).toEqual(['1'])
  })
})

describe('refuses', () => {
  test.each([
    { subscription: '' },
    { subscription: 'Billing' },
    { subscription: '1st' },
    { subscription: 'a'.repeat(41) },
    { subscription: 'billing', wait: 'no' },
    { subscription: 'billing', resumeTimeoutMs: -1 },
    { subscription: 'billing', onPositionLost: 'ignore' },
    { wait: false },
    { resumeTimeoutMs: 1 },
    { onPositionLost: 'restart' },
  ])('%j', async (options) => {
    const driver = scripted()
    await expect(connect(driver, options as never)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' })
    expect(driver.opened).toBe(0)
  })
})
