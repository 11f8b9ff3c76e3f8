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

  test('that cannot be read fails the client', async () => {
    const model = tableOf('a')
    const driver = driverOf(model)
    const source = model.source()
    const broken = new RowtapError('ERR_SETUP_REQUIRED', { message: 'no more' })
    driver.snapshots = { ...source, read: () => Promise.reject(broken) }
    await using client = await connect(driver)
    const errors: RowtapError[] = []
    client.on('error', (error) => void errors.push(error))
    const listening = listen(client)
    await expect(listening.done).rejects.toBe(broken)
    expect(errors).toEqual([broken])
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
