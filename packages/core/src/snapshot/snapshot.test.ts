import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Client, Listener } from '../client.ts'
import { connect } from '../connect.ts'
import type { Collation } from '../conditions/column-type.ts'
import type { CaptureRequest } from '../contract/driver.ts'
import type { DeliveredEvent, Row } from '../event.ts'
import type { ModelChange } from '../testing/model-table.ts'
import { ModelTable } from '../testing/model-table.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, TEXT, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const DURABLE = {
  ...SCRIPTED_CAPABILITIES,
  delivery: { acknowledgement: 'database', subscription: 'database', reconnect: false },
} as const

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f']
const key = fc.constantFrom(...KEYS)

type Step =
  | { readonly do: 'commit'; readonly statements: readonly ModelChange[] }
  | { readonly do: 'show'; readonly index: number }
  | { readonly do: 'deliver' }
  | { readonly do: 'answer' }
  | { readonly do: 'flush' }
  | { readonly do: 'turn' }

const statement: fc.Arbitrary<ModelChange> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('move' as const), key, to: key }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'truncate' as const }) },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      statements: fc.array(statement, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('show' as const), index: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.constant({ do: 'deliver' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'answer' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'turn' as const }) },
)

const steps = fc.array(step, { maxLength: 60 })
const first = fc.array(key, { maxLength: 6 }).map((keys) => keys.map((one): ModelChange => ({ kind: 'put', key: one })))

/** Lets everything happen that does not wait for a step. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

async function run(
  model: ModelTable,
  driver: Pick<ScriptedDriver, 'pass' | 'acknowledged'>,
  sequence: readonly Step[],
): Promise<void> {
  for (const one of sequence) {
    if (one.do === 'commit') model.commit(one.statements)
    if (one.do === 'show') model.show(one.index)
    if (one.do === 'deliver' && model.undelivered > 0) driver.pass(model.deliver())
    if (one.do === 'answer') model.answer()
    if (one.do === 'flush') model.flushed = driver.acknowledged.at(-1) ?? model.flushed
    if (one.do !== 'commit') await turn()
  }
}

/** Delivers and answers until there is nothing more to do. */
async function finish(model: ModelTable, driver: { pass: ScriptedDriver['pass'] }, done: Promise<void>): Promise<void> {
  let isDone = false
  void done.then(() => {
    isDone = true
  })
  for (let idle = 0; idle < 4;) {
    idle = model.undelivered > 0 || model.isReading || !isDone ? 0 : idle + 1
    if (model.undelivered > 0) driver.pass(model.deliver())
    model.answer()
    await turn()
  }
}

/** What a receiver holds who believes every event; fails on one that cannot be. */
function strictFold(events: readonly DeliveredEvent[]): Map<string, string> {
  const rows = new Map<string, string>()
  for (const event of events) {
    const at = String(event.key?.['k'])
    const version = String(event.new?.['v'])
    if (event.kind === 'truncate') rows.clear()
    if (event.kind === 'insert') expect(rows.has(at), `insert of ${at}, which is there`).toBe(false)
    if (event.kind === 'update' || event.kind === 'delete')
      expect(rows.has(at), `${event.kind} of ${at}, which is not there`).toBe(true)
    if (event.kind === 'delete') rows.delete(at)
    if (event.new === null) continue
    rows.set(at, version)
  }
  return rows
}

/** What a receiver holds who takes whatever comes: `?` stands for a large value that it was never given. Strict: that never is. */
function wholeFold(events: readonly DeliveredEvent[], isStrict = false): Map<string, string> {
  const rows = new Map<string, string>()
  let moving: string | undefined
  for (const event of events) {
    const at = String(event.key?.['k'])
    if (event.kind === 'truncate') rows.clear()
    const known = event.derivedFrom === 'update' && event.kind === 'insert' ? (moving ?? rows.get(at)) : rows.get(at)
    moving = event.kind === 'delete' ? rows.get(at) : undefined
    if (event.kind === 'delete') rows.delete(at)
    if (event.new === null) continue
    const large = Object.hasOwn(event.new, 'large') ? String(event.new['large']) : (known?.slice(7) ?? '?')
    if (isStrict) expect(large, `the large value of ${at}`).not.toBe('?')
    rows.set(at, `${String(event.new['v'])} ${large}`)
  }
  return rows
}

/** The versions of a key only grow: nothing older comes after something newer. */
function expectGrowingVersions(events: readonly DeliveredEvent[]): void {
  const last = new Map<string, string>()
  for (const event of events) {
    if (event.new === null) continue
    const at = String(event.key?.['k'])
    const version = String(event.new['v'])
    // A row that is read again may be what it was.
    const isOlder = event.kind === 'snapshot' ? version < (last.get(at) ?? '') : version <= (last.get(at) ?? '')
    expect(isOlder, `${event.kind} of ${at}: ${version} after ${last.get(at)}`).toBe(false)
    last.set(at, version)
  }
}

function collect(listener: Listener<Row, typeof SCRIPTED_CAPABILITIES, 'auto', 'initial'>): DeliveredEvent[] {
  const events: DeliveredEvent[] = []
  listener.on('change', (event) => events.push(event))
  return events
}

/** An order that only the database knows. */
const locale: Collation = { name: 'locale', order: 'locale', asciiCase: false }

for (const where of ['process', 'database'] as const) {
  test(`rows and changes fold to the table, and of each key there is nothing old after something new (keys compared in the ${where})`, async () => {
    await fc.assert(
      fc.asyncProperty(first, steps, async (start, sequence) => {
        const relation = textRelation('t', ['k', 'v', 'large'])
        const columns = relation.columns.map((column) => ({
          ...column,
          type: where === 'process' ? TEXT : { ...TEXT, collation: locale },
        }))
        const model = new ModelTable({ columns })
        for (const one of start) model.commit([one])
        while (model.undelivered > 0) model.deliver()
        const driver = new ScriptedDriver([model.relation], SCRIPTED_CAPABILITIES)
        driver.snapshots = model.source()
        await using client = await connect(driver)
        const listener = client.listen({ table: 't', snapshot: 'initial' })
        const events = collect(listener)
        await listener.ready
        await run(model, driver, sequence)
        await finish(model, driver, listener.snapshotDone)
        expect(strictFold(events)).toEqual(model.rows)
        expectGrowingVersions(events)
        expect(client.metrics().listeners[0]?.snapshot?.isDone).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
}

test('a row that moves past the reading without a large value is read again, and no value is missing', async () => {
  await fc.assert(
    fc.asyncProperty(first, steps, async (start, sequence) => {
      const model = new ModelTable({ oldColumns: [0] })
      for (const one of start) model.commit([one])
      while (model.undelivered > 0) model.deliver()
      const driver = new ScriptedDriver([model.relation], SCRIPTED_CAPABILITIES)
      driver.snapshots = model.source()
      await using client = await connect(driver)
      const listener = client.listen({ table: 't', snapshot: 'initial' })
      const events = collect(listener)
      await listener.ready
      await run(model, driver, sequence)
      await finish(model, driver, listener.snapshotDone)
      expect(wholeFold(events, true)).toEqual(model.wholeRows)
      expectGrowingVersions(events)
    }),
    { numRuns: 300 },
  )
})

/** What a receiver makes of what comes again: nothing. */
function onceEach(events: readonly DeliveredEvent[]): readonly DeliveredEvent[] {
  const seen = new Set<string>()
  return events.filter(({ id }) => !seen.has(id) && seen.add(id))
}

/** What comes again has come before; a change that comes for the first time is not older than what the receiver holds. */
function expectNothingStale(events: readonly DeliveredEvent[]): void {
  const seen = new Set<string>()
  const held = new Map<string, string>()
  for (const event of events) {
    const at = String(event.key?.['k'])
    const isAgain = seen.has(event.id)
    seen.add(event.id)
    if (event.new === null) continue
    const version = String(event.new['v'])
    if (!isAgain && event.kind !== 'snapshot')
      expect(version < (held.get(at) ?? ''), `${event.kind} of ${at}: ${version} after ${held.get(at)}`).toBe(false)
    if (version > (held.get(at) ?? '')) held.set(at, version)
  }
}

const lives = fc.array(fc.record({ sequence: steps, isClosed: fc.boolean() }), { minLength: 1, maxLength: 3 })

const CAPTURED: readonly CaptureRequest[] = [
  {
    table: { schema: 'public', name: 't' },
    operations: new Set(['insert', 'update', 'delete', 'truncate']),
    columns: null,
    comparedEnums: new Set(),
  },
]

test('a durable snapshot goes on after a crash, and what a receiver holds is the table', async () => {
  await fc.assert(
    fc.asyncProperty(first, lives, steps, fc.boolean(), async (start, crashed, after, isWhole) => {
      const model = new ModelTable(isWhole ? {} : { oldColumns: [0] })
      for (const one of start) model.commit([one])
      while (model.undelivered > 0) model.deliver()
      const events: DeliveredEvent[] = []
      model.flushed = model.rewindable()
      const live = async (
        isFirst: boolean,
        sequence: readonly Step[],
      ): Promise<[ScriptedDriver<typeof DURABLE>, Pick<Client, 'close'>, Promise<void>]> => {
        const driver = new ScriptedDriver([model.relation], DURABLE)
        if (!isFirst) driver.resumed = CAPTURED
        driver.snapshots = model.source(model.saved.at(-1) ?? null)
        const client = await connect(driver, { subscription: 's', on: { error: () => undefined } })
        const listener = client.listen({ table: 't', snapshot: 'initial' })
        listener.on('change', (event) => events.push(event))
        listener.snapshotDone.catch(() => undefined)
        await listener.ready
        await run(model, driver, sequence)
        return [driver, client, listener.snapshotDone]
      }
      for (const [index, { sequence, isClosed }] of crashed.entries()) {
        const [driver, client] = await live(index === 0, sequence)
        if (isClosed) await client.close()
        else driver.fail(new Error('killed'))
        await until(() => driver.closed > 0)
        // Of what a client has acknowledged that was killed, the source may not have heard.
        if (isClosed) model.flushed = driver.acknowledged.at(-1) ?? model.flushed
        model.rewind(model.flushed)
      }
      const [driver, client, done] = await live(false, after)
      await finish(model, driver, done)
      await client.close()
      expect(wholeFold(onceEach(events))).toEqual(model.wholeRows)
      // Who takes everything that comes again holds the same, as far as every value comes with it.
      if (isWhole) expect(wholeFold(events)).toEqual(model.wholeRows)
      expectNothingStale(events)
    }),
    { numRuns: 300 },
  )
})
