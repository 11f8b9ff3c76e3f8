import { describe, expect, test } from 'vitest'
import type { Client } from '../client.ts'
import { connect } from '../connect.ts'
import type { CaptureRequest } from '../contract/driver.ts'
import { position } from '../contract/position.ts'
import type { DeliveredEvent } from '../event.ts'
import { RowtapError } from '../rowtap-error.ts'
import { ModelTable } from '../testing/model-table.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, TEXT } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const DURABLE = {
  ...SCRIPTED_CAPABILITIES,
  delivery: { acknowledgement: 'database', subscription: 'database', reconnect: false },
} as const

type Durable = typeof DURABLE

const CAPTURED: readonly CaptureRequest[] = [
  {
    table: { schema: 'public', name: 't' },
    operations: new Set(['insert', 'update', 'delete', 'truncate']),
    columns: null,
    comparedEnums: new Set(),
  },
]

/** A table with these rows, which everybody sees. */
function tableOf(...keys: readonly string[]): ModelTable {
  const model = new ModelTable()
  for (const key of keys) model.commit([{ kind: 'put', key }])
  while (model.undelivered > 0) model.deliver()
  return model
}

function driverOf(model: ModelTable, resumed: string | null = null): ScriptedDriver<Durable> {
  const driver = new ScriptedDriver([model.relation], DURABLE)
  driver.snapshots = model.source(resumed)
  if (resumed !== null) driver.resumed = CAPTURED
  return driver
}

interface Listening {
  readonly events: DeliveredEvent[]
  readonly ready: Promise<void>
  readonly done: Promise<void>
  stop(): Promise<void>
}

function listen(client: Client<Durable>, options: object = {}): Listening {
  const listener = client.listen({ table: 't', snapshot: 'initial', ...options })
  const events: DeliveredEvent[] = []
  listener.on('change', (event) => void events.push(event))
  const { ready, snapshotDone } = listener
  snapshotDone.catch(() => undefined)
  return { events, ready, done: snapshotDone, stop: async () => void (await listener.stop({ discard: true })) }
}

async function readAll(model: ModelTable, ...listening: readonly Listening[]): Promise<void> {
  let left = listening.length
  for (const { done } of listening) {
    void done.then(() => {
      left -= 1
    })
  }
  await until(() => {
    model.answer()
    return left === 0
  })
}

function log({ events }: Listening): string[] {
  return events.map(({ kind, key }) => `${kind} ${String(key?.['k'])}`)
}

describe('a snapshot', () => {
  test('is of the rows that the condition is true of, with the columns that are wanted', async () => {
    const model = tableOf('a', 'b', 'c')
    await using client = await connect(driverOf(model))
    const listening = listen(client, { where: { k: { gte: 'b' } }, columns: ['k'] })
    await readAll(model, listening)
    expect(listening.events.map((event) => event.new)).toEqual([{ k: 'b' }, { k: 'c' }])
    expect(client.metrics().listeners[0]?.snapshot).toEqual({ rows: 3, estimate: null, isDone: true })
  })

  test('is taken again after a gap as long as it is not done, and not once it is', async () => {
    const model = tableOf('a', 'b', 'c')
    const driver = new ScriptedDriver([model.relation], DURABLE)
    driver.snapshots = model.source()
    await using client = await connect(driver)
    const listening = listen(client)
    await listening.ready
    const gap = { kind: 'gap', from: null, to: position('1'), reason: 'lost' } as const
    await until(() => model.isReading)
    model.answer()
    await until(() => listening.events.length === 2)
    driver.host?.notify(gap)
    await readAll(model, listening)
    expect(log(listening).slice(-3)).toEqual(['snapshot a', 'snapshot b', 'snapshot c'])
    const count = listening.events.length
    driver.host?.notify(gap)
    driver.pass([...commit(model, 'd')])
    await until(() => listening.events.length > count)
    expect(log(listening).slice(count)).toEqual(['insert d'])
  })

  test('ends with its listener, which says so', async () => {
    const model = tableOf('a', 'b', 'c')
    await using client = await connect(driverOf(model))
    const listening = listen(client)
    await listening.ready
    await listening.stop()
    await expect(listening.done).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  test('does not keep a client from closing', async () => {
    const model = tableOf('a', 'b', 'c')
    const client = await connect(driverOf(model))
    const listening = listen(client)
    await until(() => model.isReading)
    expect(await client.close()).toEqual({ unfinished: 0 })
    await expect(listening.done).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  test('does not keep a client from closing while the database compares keys', async () => {
    const model = new ModelTable({ columns: localeColumns() })
    const driver = driverOf(model)
    const ended = new RowtapError('ERR_CLOSED', { message: 'The session is closed.' })
    driver.snapshots = {
      ...model.source(),
      compareKeys: () =>
        new Promise((_, reject) => {
          driver.host?.signal.addEventListener('abort', () => reject(ended))
        }),
    }
    const client = await connect(driver)
    const listening = listen(client)
    for (const key of ['a', 'b', 'c']) driver.pass([...commit(model, key)])
    await until(() => model.isReading)
    model.answer()
    await until(() => listening.events.length === 2)
    driver.pass([...commit(model, 'd')])
    await until(() => (client.metrics().listeners[0]?.waiting ?? 0) > 0)
    await client.close({ timeoutMs: 100 })
    await expect(listening.done).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  test('that cannot be read ends its listener, and others go on', async () => {
    const model = tableOf('a')
    const driver = driverOf(model)
    const broken = new RowtapError('ERR_SETUP_REQUIRED', { message: 'no more' })
    driver.snapshots = { ...model.source(), read: () => Promise.reject(broken) }
    const errors: RowtapError[] = []
    await using client = await connect(driver, { on: { error: (error) => void errors.push(error) } })
    const other: string[] = []
    client.listen({ table: 't' }).on('insert', ({ key }) => void other.push(String(key['k'])))
    const listening = listen(client)
    await expect(listening.done).rejects.toBe(broken)
    driver.pass([...commit(model, 'b')])
    await until(() => other.length === 1)
    expect(listening.events).toEqual([])
    expect(errors).toEqual([])
    expect(client.metrics().listeners).toHaveLength(1)
    expect(await client.close()).toEqual({ unfinished: 0 })
  })

  test.each([
    ['while it waits for room', true],
    ['while a piece is read', false],
  ])('that meets a change without its key %s ends its listener, and others go on', async (_, hasAnswered) => {
    const model = tableOf('a', 'b', 'c')
    const driver = driverOf(model)
    const errors: RowtapError[] = []
    await using client = await connect(driver, { on: { error: (error) => void errors.push(error) } })
    const other: string[] = []
    client.listen({ table: 't' }).on('change', ({ kind }) => void other.push(kind))
    // Nobody takes its rows: there is no room for a second piece.
    const listener = client.listen({ table: 't', snapshot: 'initial', bufferBytes: 1 })
    const failed = listener.snapshotDone.then(
      () => null,
      (error: unknown) => error,
    )
    await until(() => model.isReading)
    if (hasAnswered) {
      model.answer()
      await until(() => client.metrics().listeners[1]?.waiting === 2)
    }
    const [change] = commit(model, 'b')
    if (change === undefined) throw new Error('there is no change')
    driver.pass([{ ...change, new: { text: () => null } }])
    await until(() => driver.taken === 1)
    model.answer()
    expect(await failed).toMatchObject({ code: 'ERR_SETUP_REQUIRED', eventId: change.id })
    driver.pass([...commit(model, 'c')])
    await until(() => other.length === 2)
    expect(errors).toEqual([])
  })

  test('that cannot be read while nobody waits for it fails the client', async () => {
    const model = tableOf('a')
    const driver = driverOf(model)
    const broken = new RowtapError('ERR_SETUP_REQUIRED', { message: 'no more' })
    driver.snapshots = { ...model.source(), read: () => Promise.reject(broken) }
    const failed = Promise.withResolvers<RowtapError>()
    await using client = await connect(driver, { on: { error: failed.resolve } })
    client.listen({ table: 't', snapshot: 'initial' })
    expect(await failed.promise).toBe(broken)
  })

  test('that a lost session keeps from being read fails the client', async () => {
    const model = tableOf('a')
    const driver = driverOf(model)
    const lost = new RowtapError('ERR_CONNECTION_LOST', { message: 'gone' })
    driver.snapshots = { ...model.source(), read: () => Promise.reject(lost) }
    const failed = Promise.withResolvers<RowtapError>()
    await using client = await connect(driver, { on: { error: failed.resolve } })
    const listening = listen(client)
    await expect(listening.done).rejects.toBe(lost)
    expect(await failed.promise).toBe(lost)
  })

  test('whose progress cannot be kept fails the client', async () => {
    const model = tableOf('a')
    const driver = driverOf(model)
    const broken = new RowtapError('ERR_SETUP_REQUIRED', { message: 'read-only' })
    driver.snapshots = { ...model.source(), saveProgress: () => Promise.reject(broken) }
    const failed = Promise.withResolvers<RowtapError>()
    await using client = await connect(driver, { subscription: 's', on: { error: failed.resolve } })
    const listening = listen(client)
    await expect(listening.done).rejects.toBe(broken)
    expect(await failed.promise).toBe(broken)
  })

  test('of a table that cannot be read in pieces is refused', async () => {
    const model = tableOf('a')
    const driver = driverOf(model)
    const refused = new RowtapError('ERR_SETUP_REQUIRED', { message: 'no key' })
    driver.snapshots = { ...model.source(), keyOf: () => Promise.reject(refused) }
    await using client = await connect(driver)
    await expect(listen(client).ready).rejects.toBe(refused)
    expect(() => client.listen({ table: 't', snapshot: 'sometimes' as 'initial' })).toThrow(`'snapshot' is 'initial'`)
  })
})

describe('with a subscription', () => {
  test('what was read does not come again, and what was written since does', async () => {
    const model = tableOf('a', 'b', 'c')
    const first = await connect(driverOf(model), { subscription: 's' })
    await readAll(model, listen(first))
    await first.close()
    const driver = driverOf(model, model.saved.at(-1))
    await using client = await connect(driver, { subscription: 's' })
    const listening = listen(client)
    await listening.done
    driver.pass([...commit(model, 'd')])
    await until(() => listening.events.length > 0)
    expect(log(listening)).toEqual(['insert d'])
  })

  test('a change that a piece has seen does not come after a crash, if the source had not heard that it was handled', async () => {
    const model = tableOf('a', 'b')
    model.flushed = model.rewindable()
    model.commit([{ kind: 'put', key: 'a' }])
    // The first that is not visible yet is the row b.
    model.show(1)
    const crashing = driverOf(model)
    const first = await connect(crashing, { subscription: 's', on: { error: () => undefined } })
    const before = listen(first)
    await readAll(model, before)
    crashing.pass(model.deliver())
    const [seen] = commit(model, 'b')
    if (seen === undefined) throw new Error('there is no change')
    crashing.pass([seen])
    await until(() => first.acknowledged === seen.position)
    const saved = model.saved.length
    await until(() => model.saved.length > saved)
    crashing.fail(new Error('killed'))
    await until(() => crashing.closed > 0)
    expect(log(before)).toEqual(['snapshot a', 'snapshot b', 'update b'])

    model.rewind(model.flushed)
    const driver = driverOf(model, model.saved.at(-1))
    await using client = await connect(driver, { subscription: 's' })
    const after = listen(client)
    await after.done
    while (model.undelivered > 0) driver.pass(model.deliver())
    await until(() => after.events.length > 0)
    expect(after.events.map(({ id }) => id)).toEqual([seen.id])
  })

  test('what was read before a change that waits counts as read', async () => {
    const model = tableOf('a', 'b', 'c')
    model.flushed = model.rewindable()
    // An earlier life may have told of rows: until the changes that the reading has seen are handled, it counts for nothing.
    const unread = driverOf(model)
    const first = await connect(unread, { subscription: 's' })
    await listen(first).ready
    await first.close()
    const driver = driverOf(model, model.saved.at(-1))
    const client = await connect(driver, { subscription: 's', on: { error: () => undefined } })
    const listener = client.listen({ table: 't', snapshot: 'initial' })
    listener.snapshotDone.catch(() => undefined)
    const kinds: string[] = []
    listener.on('change', async ({ kind }) => {
      kinds.push(kind)
      if (kind !== 'snapshot') await new Promise(() => undefined)
    })
    await until(() => model.isReading)
    model.answer()
    await until(() => kinds.length === 2)
    driver.pass([...commit(model, 'a')])
    await until(() => model.isReading)
    model.answer()
    await until(() => kinds.length === 4)
    expect(kinds).toEqual(['snapshot', 'snapshot', 'snapshot', 'update'])
    const saved = model.saved.length
    await until(() => model.saved.length > saved)
    expect(JSON.parse(model.saved.at(-1) ?? '')).toMatchObject({
      snapshots: [
        {
          ranges: [
            { upTo: ['b'], read: true },
            { upTo: null, read: false },
          ],
        },
      ],
    })
    driver.fail(new Error('killed'))
    await until(() => driver.closed > 0)
  })

  test('a listener with another definition has a snapshot of its own', async () => {
    const model = tableOf('a')
    const first = await connect(driverOf(model), { subscription: 's' })
    await readAll(model, listen(first))
    await first.close()
    await using client = await connect(driverOf(model, model.saved.at(-1)), { subscription: 's' })
    const listening = listen(client, { columns: ['k', 'v'] })
    await readAll(model, listening)
    expect(log(listening)).toEqual(['snapshot a'])
  })

  test('two listeners that want the same each have theirs, and go on with it', async () => {
    const model = tableOf('a')
    const first = await connect(driverOf(model), { subscription: 's' })
    await readAll(model, listen(first), listen(first))
    await first.close()
    await using client = await connect(driverOf(model, model.saved.at(-1)), { subscription: 's' })
    const both = [listen(client), listen(client)]
    await Promise.all(both.map(({ done }) => done))
    expect(both.map(log)).toEqual([[], []])
  })

  test('what was done does not hold any more for a listener that has missed a change', async () => {
    const model = tableOf('a')
    const first = await connect(driverOf(model), { subscription: 's' })
    await readAll(model, listen(first), listen(first, { columns: ['k', 'v'] }))
    await first.close()
    const driver = driverOf(model, model.saved.at(-1))
    await using client = await connect(driver, { subscription: 's' })
    const one = listen(client)
    await one.ready
    driver.pass([...commit(model, 'b')])
    await until(() => one.events.length === 1)
    const later = listen(client, { columns: ['k', 'v'] })
    await readAll(model, later)
    expect(log(later)).toEqual(['snapshot a', 'snapshot b'])
    expect(log(one)).toEqual(['insert b'])
  })

  test('a listener that is discarded begins anew the next time', async () => {
    const model = tableOf('a')
    const first = await connect(driverOf(model), { subscription: 's' })
    const stopped = listen(first)
    await readAll(model, stopped)
    await stopped.stop()
    await first.close()
    await using client = await connect(driverOf(model, model.saved.at(-1)), { subscription: 's' })
    const listening = listen(client)
    await readAll(model, listening)
    expect(log(listening)).toEqual(['snapshot a'])
  })

  test.each([
    ['in any table', undefined, ['snapshot a']],
    ['in its table', [{ schema: 'public', name: 't' }], ['snapshot a']],
    ['in another table', [{ schema: 'public', name: 'u' }], []],
  ])(
    'after a gap %s of which nobody knows the end, a listener that is here goes on, and one that comes begins anew',
    async (_, tables, expected) => {
      const model = tableOf('a')
      const first = await connect(driverOf(model), { subscription: 's' })
      await readAll(model, listen(first), listen(first, { columns: ['k', 'v'] }))
      await first.close()
      const driver = driverOf(model, model.saved.at(-1))
      const gaps: string[] = []
      await using client = await connect(driver, { subscription: 's', on: { gap: ({ reason }) => gaps.push(reason) } })
      const here = listen(client)
      await here.ready
      const before = model.saved.length
      const of = tables === undefined ? {} : { tables }
      driver.host?.notify({ kind: 'gap', from: null, to: null, ...of, reason: 'some of it' })
      // That is kept before anything else happens, also where nothing else is new.
      await until(() => model.saved.length > before)
      const coming = listen(client, { columns: ['k', 'v'] })
      await readAll(model, coming)
      expect(log(coming)).toEqual(expected)
      expect(log(here)).toEqual([])
      expect(gaps).toEqual(['some of it'])
    },
  )

  test('that begins anew after a gap takes every snapshot again', async () => {
    const model = tableOf('a', 'b')
    const driver = driverOf(model)
    await using client = await connect(driver, { subscription: 's' })
    const listening = listen(client)
    await readAll(model, listening)
    driver.host?.notify({ kind: 'gap', from: null, to: position('1'), reason: 'the slot was lost' })
    await until(() => {
      model.answer()
      return listening.events.length === 4
    })
    expect(log(listening)).toEqual(['snapshot a', 'snapshot b', 'snapshot a', 'snapshot b'])
  })
})

/** Columns whose order only the database knows. */
function localeColumns(): ModelTable['relation']['columns'] {
  const { columns } = new ModelTable().relation
  const type = { ...TEXT, collation: { name: 'locale', order: 'locale', asciiCase: false } } as const
  return columns.map((column) => ({ ...column, type }))
}

function commit(model: ModelTable, key: string): ReturnType<ModelTable['deliver']> {
  model.commit([{ kind: 'put', key }])
  return model.deliver()
}
