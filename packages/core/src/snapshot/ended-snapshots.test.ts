import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Client, Listener } from '../client.ts'
import { connect } from '../connect.ts'
import type { CaptureRequest } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { DeliveredEvent, Row } from '../event.ts'
import type { ModelChange } from '../testing/model-table.ts'
import { ModelTable } from '../testing/model-table.ts'
import { DURABLE_CAPABILITIES } from '../testing/scripted-client.ts'
import { ScriptedDriver } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

type SnapshotListener = Listener<Row, typeof DURABLE_CAPABILITIES, 'auto', 'initial'>
type Step = readonly ModelChange[] | 'show' | 'deliver' | 'answer'

const ALL: CaptureRequest = {
  table: { schema: 'public', name: 't' },
  operations: new Set(['insert', 'update', 'delete', 'truncate']),
  columns: null,
  comparedEnums: new Set(),
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const statement: fc.Arbitrary<ModelChange> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), key, to: key }) },
)
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.array(statement, { minLength: 1, maxLength: 3 }) },
    { weight: 2, arbitrary: fc.constant('show' as const) },
    { weight: 4, arbitrary: fc.constant('deliver' as const) },
    { weight: 3, arbitrary: fc.constant('answer' as const) },
  ),
  { maxLength: 40 },
)

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

async function run(
  model: ModelTable,
  driver: ScriptedDriver<typeof DURABLE_CAPABILITIES>,
  sequence: readonly Step[],
): Promise<void> {
  for (const step of sequence) {
    if (step === 'show') model.show(0)
    else if (step === 'answer') model.answer()
    else if (step !== 'deliver') model.commit(step)
    else if (model.undelivered > 0) driver.pass(model.deliver())
    await turn()
  }
}

/** Lives until a client has ended one listener with a snapshot, and then itself. Returns what it has acknowledged. */
async function firstLife(
  model: ModelTable,
  events: DeliveredEvent[],
  sequence: readonly Step[],
  end: (
    listener: SnapshotListener,
    client: Client<typeof DURABLE_CAPABILITIES>,
    breakReading: (error: Error) => void,
  ) => Promise<unknown>,
  meanwhile: readonly Step[],
): Promise<Position | null> {
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => undefined)
  const driver = new ScriptedDriver([model.relation], DURABLE_CAPABILITIES)
  const source = model.source()
  driver.snapshots = { ...source, read: (request) => Promise.race([source.read(request), broken.promise]) }
  const beginning = model.rewindable()
  model.flushed = beginning
  const client = await connect(driver, { subscription: 's' })
  const listener = client.listen({ table: 't', snapshot: 'initial' })
  listener.snapshotDone.catch(() => undefined)
  listener.on('change', (event) => events.push(event))
  await listener.ready
  await run(model, driver, sequence)
  await end(listener, client, broken.reject)
  await run(model, driver, meanwhile)
  await client.close({ timeoutMs: 2 })
  return driver.acknowledged.at(-1) ?? beginning
}

/** Goes on with the subscription, until there is nothing more to deliver. */
async function secondLife(model: ModelTable, events: DeliveredEvent[], acknowledged: Position | null): Promise<void> {
  model.rewind(acknowledged)
  const driver = new ScriptedDriver([model.relation], DURABLE_CAPABILITIES)
  driver.resumed = [ALL]
  driver.snapshots = model.source(model.saved.at(-1) ?? null)
  await using client = await connect(driver, { subscription: 's' })
  const listener = client.listen({ table: 't', snapshot: 'initial' })
  listener.on('change', (event) => events.push(event))
  await listener.ready
  let isDone = false
  void listener.snapshotDone.then(() => {
    isDone = true
  })
  for (let idle = 0; idle < 4;) {
    idle = model.undelivered > 0 || model.isReading || !isDone ? 0 : idle + 1
    if (model.undelivered > 0) driver.pass(model.deliver())
    model.answer()
    await turn()
  }
}

function fold(events: readonly DeliveredEvent[]): ReadonlyMap<string, string> {
  const rows = new Map<string, string>()
  for (const event of events) {
    const at = String(event.key?.['k'])
    if (event.kind === 'delete') rows.delete(at)
    if (event.new !== null) rows.set(at, String(event.new['v']))
  }
  return rows
}

function modelOf(start: readonly string[]): ModelTable {
  const model = new ModelTable()
  for (const one of start) model.commit([{ kind: 'put', key: one }])
  while (model.undelivered > 0) model.deliver()
  return model
}

/** Resolves when the reading has failed, if it was not done before. */
async function failReading(
  { snapshotDone }: SnapshotListener,
  _: unknown,
  breakReading: (error: Error) => void,
): Promise<void> {
  breakReading(new Error('no more'))
  await snapshotDone.catch(() => undefined)
}

test.each<readonly [string, Parameters<typeof firstLife>[3]]>([
  ['a failure of its reading', failReading],
  ['stop()', (listener) => listener.stop({ timeoutMs: 2 })],
  ['`await using`', async (listener) => await listener[Symbol.asyncDispose]()],
  ['the end of its client', (_, client) => client.close({ timeoutMs: 2 })],
])('a durable snapshot that %s ends goes on with the next client: the receiver holds the table', async (_, end) => {
  await fc.assert(
    fc.asyncProperty(fc.array(key, { maxLength: 6 }), steps, async (start, sequence) => {
      const model = modelOf(start)
      const events: DeliveredEvent[] = []
      const acknowledged = await firstLife(model, events, sequence, end, [])
      await secondLife(model, events, acknowledged)
      expect(fold(events)).toEqual(model.rows)
    }),
    { numRuns: 100 },
  )
})

test.each<readonly [string, Parameters<typeof firstLife>[3]]>([
  ['its end', async (listener) => await listener.stop({ timeoutMs: 2 })],
  ['a failure of its reading', failReading],
])('a durable snapshot is taken anew where its listener has missed a change after %s', async (_, end) => {
  await fc.assert(
    fc.asyncProperty(fc.array(key, { maxLength: 6 }), steps, steps, async (start, sequence, meanwhile) => {
      const model = modelOf(start)
      const events: DeliveredEvent[] = []
      const acknowledged = await firstLife(model, events, sequence, end, meanwhile)
      await secondLife(model, events, acknowledged)
      // A row that was deleted meanwhile is not heard of again.
      const rows = fold(events)
      for (const [at, version] of model.rows) expect([at, rows.get(at)]).toEqual([at, version])
    }),
    { numRuns: 100 },
  )
})

test('changes that wait for a row to be read are handed over by stop(), or left in time', async () => {
  for (const answers of [true, false]) {
    const model = modelOf(['a', 'b', 'c'])
    const driver = new ScriptedDriver([model.relation], DURABLE_CAPABILITIES)
    driver.snapshots = model.source()
    const client = await connect(driver, { subscription: 's' })
    const listener = client.listen({ table: 't', snapshot: 'initial' })
    listener.snapshotDone.catch(() => undefined)
    const kinds: string[] = []
    listener.on('change', (event) => void kinds.push(event.kind))
    await listener.ready
    await turn()
    model.answer()
    await turn()
    // Rows a and b are read; the next piece is being read.
    model.commit([{ kind: 'put', key: 'a' }])
    driver.pass(model.deliver())
    await turn()
    expect([kinds, client.metrics().total.waiting]).toEqual([['snapshot', 'snapshot'], 1])
    const stopped = listener.stop({ timeoutMs: answers ? 10_000 : 2 })
    if (answers) model.answer()
    expect(await stopped).toEqual({ unfinished: answers ? 0 : 1 })
    expect(kinds).toEqual(['snapshot', 'snapshot', ...(answers ? ['update'] : [])])
    expect(driver.acknowledged).toHaveLength(answers ? 1 : 0)
    expect(await client.close({ timeoutMs: 2 })).toEqual({ unfinished: answers ? 0 : 1 })
  }
})

test('a client that closes counts the rows that were not handled', async () => {
  const model = modelOf(['a', 'b', 'c'])
  const driver = new ScriptedDriver([model.relation], DURABLE_CAPABILITIES)
  driver.snapshots = model.source()
  const client = await connect(driver, { subscription: 's' })
  const listener = client.listen({ table: 't', snapshot: 'initial' })
  listener.snapshotDone.catch(() => undefined)
  listener.on('change', () => new Promise(() => undefined))
  await listener.ready
  await turn()
  model.answer()
  await turn()
  expect(await client.close({ timeoutMs: 2 })).toEqual({ unfinished: 2 })
})

test.each(['in the same life', 'in a later one'])(
  'what was done does not hold any more once nobody wants the table: %s',
  async (life) => {
    const driverOf = (model: ModelTable, saved: string | null): ScriptedDriver<typeof DURABLE_CAPABILITIES> => {
      const driver = new ScriptedDriver([model.relation], DURABLE_CAPABILITIES)
      driver.snapshots = model.source(saved)
      if (saved !== null) driver.resumed = [ALL]
      return driver
    }
    const readAll = async (client: Client<typeof DURABLE_CAPABILITIES>): Promise<readonly unknown[]> => {
      const keys: unknown[] = []
      const listener = client.listen({ table: 't', snapshot: 'initial' })
      listener.on('snapshot', (event) => void keys.push(event.key['k']))
      let isDone = false
      void listener.snapshotDone.then(() => {
        isDone = true
      })
      await until(() => {
        model.answer()
        return isDone
      })
      return keys
    }
    const model = new ModelTable()
    model.commit([{ kind: 'put', key: 'a' }])
    model.deliver()
    const first = await connect(driverOf(model, null), { subscription: 's' })
    expect(await readAll(first)).toEqual(['a'])
    await first.close()

    let client = await connect(driverOf(model, model.saved.at(-1) ?? null), { subscription: 's' })
    const other = client.listen({ table: 't' })
    other.on('change', () => undefined)
    await other.ready
    await other.stop({ discard: true })
    model.commit([{ kind: 'put', key: 'missed' }])
    model.deliver()
    if (life === 'in a later one') {
      await client.close()
      client = await connect(driverOf(model, model.saved.at(-1) ?? null), { subscription: 's' })
    }
    expect(await readAll(client)).toEqual(['a', 'missed'])
    await client.close()
  },
)
