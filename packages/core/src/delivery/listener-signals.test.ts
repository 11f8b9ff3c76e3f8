import { describe, expect, test } from 'vitest'
import { connect } from '../connect.ts'
import type { CaptureRequest } from '../contract/driver.ts'
import type { SignalEvent } from '../event.ts'
import { DURABLE_CAPABILITIES, inserts, scriptedClient, soon } from '../testing/scripted-client.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const SIGNALS = { table: 'orders', rows: false } as const

/** What one listener was told, whose handler is busy until the test says that it is not. */
function busyHandler(): {
  readonly told: readonly SignalEvent[]
  readonly handler: (event: SignalEvent) => Promise<void>
  readonly end: () => void
} {
  const told: SignalEvent[] = []
  const ends: (() => void)[] = []
  return {
    told,
    handler: (event) => {
      told.push(event)
      return new Promise((resolve) => void ends.push(resolve))
    },
    end: () => ends.shift()?.(),
  }
}

const idsOf = (events: readonly SignalEvent[]): readonly string[] =>
  events.map(({ operation, id }) => `${operation} ${id}`)

describe('a listener without rows', () => {
  test('is told of a transaction once for each operation, with the first change of it', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const listener = fixture.client.listen(SIGNALS)
    const told: SignalEvent[] = []
    listener.on('signal', (event) => void told.push(event))
    await listener.ready
    const [first] = fixture.driver.deliver([
      ...inserts('1', '2'),
      { kind: 'update', new: ['1', 'paid'], old: ['1', 'new'] },
      ...inserts('3'),
    ])
    await until(() => told.length === 2)
    expect(idsOf(told)).toEqual(['insert c1', 'update c3'])
    expect(told[0]).toEqual({
      id: 'c1',
      kind: 'signal',
      operation: 'insert',
      schema: 'public',
      table: 'orders',
      key: null,
      new: null,
      old: null,
      changed: null,
      unavailable: [],
      derivedFrom: null,
      position: expect.any(String),
      transaction: first?.transaction,
    })
    // The rest of it comes in another batch, when the handlers are done.
    fixture.driver.pass([
      { ...required(first), id: 'c5', position: required(first).position.replace(/.$/, '9') as never },
    ])
    await until(() => fixture.client.metrics().changes === 5)
    await soon()
    expect(told).toHaveLength(2)
  })

  test('is told of every transaction by handlers that are not busy, and of the rest by one signal of each operation', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const { driver, client } = fixture
    const listener = client.listen(SIGNALS)
    const { told, handler, end } = busyHandler()
    listener.on('signal', handler)
    await listener.ready
    driver.deliver(inserts('1'))
    await until(() => told.length === 1)
    for (let round = 0; round < 1000; round += 1) {
      driver.deliver([{ kind: 'update', new: ['1', 'b'], old: ['1', 'a'] }])
      driver.deliver(inserts(`row ${round}`))
    }
    await until(() => client.metrics().changes === 2001)
    expect(client.metrics().total).toMatchObject({ waiting: 3, filtered: 0, received: 2001 })
    end()
    await until(() => told.length === 2)
    end()
    await until(() => told.length === 3)
    end()
    await until(() => client.metrics().total.waiting === 0)
    // By the first change that each stands for, with the id of the last transaction's, and positions that never go back.
    expect(idsOf(told)).toEqual(['insert c1', 'update c2000', 'insert c2001'])
    expect(told.map(({ position }) => Number(position))).toEqual([1, 2001, 2001])
  })

  test('acknowledges nothing that a signal stands for before that one is done', async () => {
    await using fixture = await scriptedClient('durable')
    const { driver, client } = fixture
    const listener = client.listen(SIGNALS)
    const { told, handler, end } = busyHandler()
    listener.on('signal', handler)
    await listener.ready
    const [first] = driver.deliver(inserts('1'))
    await until(() => told.length === 1)
    for (const id of ['2', '3', '4']) driver.deliver(inserts(id))
    await until(() => client.metrics().changes === 4)
    expect(client.acknowledged).toBeNull()
    end()
    await until(() => told.length === 2)
    expect(client.acknowledged).toBe(first?.position)
    end()
    await until(() => client.acknowledged === told[1]?.position)
    expect(idsOf(told)).toEqual(['insert c1', 'insert c4'])
  })

  test('slows nobody, and is told beside listeners with rows of the same table', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const { driver, client } = fixture
    const slow = client.listen(SIGNALS)
    const { told, handler, end } = busyHandler()
    slow.on('signal', handler)
    const quick = client.listen({ ...SIGNALS, operations: ['insert'] })
    const quickly: string[] = []
    quick.on('change', ({ id }) => void quickly.push(id))
    const rows: unknown[] = []
    const listener = client.listen({ table: 'orders', where: { id: '3' } })
    listener.on('insert', (event) => void rows.push(event.new['id']))
    await Promise.all([slow.ready, quick.ready, listener.ready])
    for (let round = 0; round < 50; round += 1) driver.deliver(inserts(String(round)), 1024 * 1024)
    await until(() => client.metrics().changes === 50)
    await soon()
    expect([told.length, rows]).toEqual([1, ['3']])
    expect(quickly.at(-1)).toBe('c50')
    end()
    await until(() => told.length === 2)
    expect(told[1]?.id).toBe('c50')
    end()
  })

  test('is retried, skipped and looped over like any other', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const { driver, client } = fixture
    const retried = client.listen({ ...SIGNALS, retry: { attempts: 2, minDelayMs: 1 }, onFailure: 'skip' })
    let calls = 0
    retried.on('signal', () => {
      calls += 1
      throw new Error('not now')
    })
    const skipped: string[] = []
    client.on('passedOver', ({ event }) => void skipped.push(`${event.kind} ${event.id}`))
    const looped = client.listen(SIGNALS)
    await Promise.all([retried.ready, looped.ready])
    driver.deliver(inserts('1'))
    await until(() => skipped.length === 1)
    for (const id of ['2', '3']) driver.deliver(inserts(id))
    await until(() => client.metrics().changes === 3)
    const seen: string[] = []
    for await (const { id } of looped) {
      seen.push(id)
      break
    }
    expect([calls >= 2, skipped[0], seen]).toEqual([true, 'signal c1', ['c3']])
  })

  test('with a concurrency has so many signals with handlers, and one more for each operation', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const { driver, client } = fixture
    const listener = client.listen({ ...SIGNALS, concurrency: 2 })
    const { told, handler, end } = busyHandler()
    listener.on('signal', handler)
    await listener.ready
    for (let round = 1; round <= 100; round += 1) {
      driver.deliver(inserts(String(round)))
      await until(() => client.metrics().changes === round)
    }
    expect(idsOf(told)).toEqual(['insert c1', 'insert c2'])
    expect(client.metrics().total.waiting).toBe(3)
    for (let left = 3; left > 0; left -= 1) {
      end()
      await soon()
    }
    expect(told.at(-1)?.id).toBe('c100')
  })

  test('stands for what its handlers have not acknowledged', async () => {
    await using fixture = await scriptedClient('durable')
    const listener = fixture.client.listen({ ...SIGNALS, ack: 'manual' })
    const acks: (() => void)[] = []
    listener.on('signal', ({ ack }) => void acks.push(ack))
    await listener.ready
    const [first] = fixture.driver.deliver(inserts('1'))
    await until(() => acks.length === 1)
    fixture.driver.deliver(inserts('2'))
    await until(() => acks.length === 2)
    acks[1]?.()
    expect(fixture.client.acknowledged).toBeNull()
    acks[0]?.()
    expect(fixture.client.acknowledged).not.toBe(first?.position)
    expect(fixture.client.acknowledged).not.toBeNull()
  })

  test('takes changes that come without rows, which others of its table are not given', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const { driver, client } = fixture
    const listener = client.listen(SIGNALS)
    const told: SignalEvent[] = []
    listener.on('signal', (event) => void told.push(event))
    const withRows = client.listen({ table: 'orders' })
    const rows: unknown[] = []
    withRows.on('change', (event) => void rows.push(event))
    await Promise.all([listener.ready, withRows.ready])
    const [made] = driver.deliver([{ kind: 'truncate' }])
    await until(() => rows.length === 1)
    driver.pass(
      (['update', 'delete'] as const).map((kind, index) => ({
        ...required(made),
        kind,
        withoutRows: true as const,
        id: `s${index}`,
        position: `0000001${index}` as never,
      })),
    )
    await until(() => told.length === 3)
    expect(idsOf(told)).toEqual(['truncate c1', 'update s0', 'delete s1'])
    expect(rows).toHaveLength(1)
  })

  test('has no options about rows, no events with rows, and needs no key', async () => {
    const bare = textRelation('bare', ['id'], { primaryKey: [], oldColumns: [] })
    const driver = new ScriptedDriver([bare], SCRIPTED_CAPABILITIES)
    await using client = await connect(driver)
    for (const other of [{ where: { id: 1 } }, { columns: ['id'] }, { orderBy: 'key' }, { snapshot: 'initial' }]) {
      const options: object = { ...SIGNALS, ...other }
      expect(() => client.listen(options as typeof SIGNALS)).toThrow(
        `With 'rows: false' a listener has no option '${Object.keys(other).join()}'`,
      )
    }
    expect(() => client.listen({ table: 'bare', rows: 'no' as never })).toThrow(`'rows' is true or false, not "no".`)
    const listener = client.listen({ table: 'bare', rows: false })
    expect(() => listener.on('insert' as never, () => {})).toThrow(
      `A listener with 'rows: false' has events signal, change, not "insert".`,
    )
    await listener.ready
    expect(driver.captured.at(-1)).toMatchObject([{ rows: false, columns: null }])
    expect((await client.plan()).listeners).toMatchObject([
      { rows: false, parts: [{ what: 'operations' }, { what: 'rows', where: 'process' }] },
    ])
  })

  test('is refused where the manifest says false', async () => {
    const capabilities = {
      ...SCRIPTED_CAPABILITIES,
      listeners: { attachWhileRunning: 'database', withoutRows: false },
    } as const
    await using client = await connect(new ScriptedDriver([textRelation('orders', ['id'])], capabilities))
    expect(() => client.listen({ table: 'orders', rows: false as never })).toThrow('listeners.withoutRows is false')
  })
})

describe('what is asked of the driver', () => {
  test('is whether what a signal tells of can be seen, before it is told', async () => {
    const driver = new ScriptedDriver(
      [textRelation('orders', ['id']), textRelation('items', ['id'])],
      SCRIPTED_CAPABILITIES,
    )
    const asked: (() => void)[] = []
    driver.untilVisible = () => new Promise((resolve) => void asked.push(resolve))
    await using client = await connect(driver)
    const told: string[] = []
    const [signalled, withRows] = [client.listen(SIGNALS), client.listen({ table: 'items' })]
    signalled.on('change', ({ kind }) => void told.push(kind))
    withRows.on('change', ({ kind }) => void told.push(kind))
    await Promise.all([signalled.ready, withRows.ready])
    driver.deliver([{ kind: 'insert', relation: required(driver.relations[1]), new: ['1'] }])
    await until(() => told.length === 1)
    expect(asked).toEqual([])
    driver.deliver([{ kind: 'delete', old: ['1'] }])
    await until(() => asked.length === 1)
    await soon()
    expect(told).toEqual(['insert'])
    asked[0]?.()
    await until(() => told.length === 2)
    expect(told).toEqual(['insert', 'signal'])
  })

  const rowsOf = (requests: readonly CaptureRequest[] | undefined): unknown => requests?.map(({ rows }) => rows)

  test('is not waited for by a client that closes, and then nothing is told', async () => {
    const driver = new ScriptedDriver([textRelation('orders', ['id'])], SCRIPTED_CAPABILITIES)
    let isAsked = false
    driver.untilVisible = () => {
      isAsked = true
      return new Promise((_, reject) => {
        driver.host?.signal.addEventListener('abort', () => reject(new Error('The client closes.')))
      })
    }
    const client = await connect(driver)
    const told: string[] = []
    const listener = client.listen(SIGNALS)
    listener.on('signal', ({ id }) => void told.push(id))
    await listener.ready
    driver.deliver(inserts('1'))
    await until(() => isAsked)
    await client.close()
    expect([told, driver.acknowledged]).toEqual([[], []])
  })

  test('is rows as long as one listener of the table wants them', async () => {
    await using fixture = await scriptedClient('ephemeral')
    const { driver, client } = fixture
    await client.listen(SIGNALS).ready
    const listener = client.listen({ table: 'orders' })
    await listener.ready
    await client.listen(SIGNALS).ready
    await listener.stop()
    expect(driver.captured.map(rowsOf)).toEqual([[false], [undefined], [undefined], [false]])
  })

  test('is no rows any more where a subscription goes on, and no listener that wants them has come in time', async () => {
    const driver = new ScriptedDriver([textRelation('orders', ['id'])], DURABLE_CAPABILITIES)
    driver.resumed = [resumed({})]
    await using client = await connect(driver, { subscription: 'billing', resumeTimeoutMs: 1 })
    await client.listen(SIGNALS).ready
    await until(() => driver.captured.length === 2)
    expect(driver.captured.map(rowsOf)).toEqual([[undefined], [false]])
  })

  test('is rows still as long as one may come', async () => {
    const driver = new ScriptedDriver([textRelation('orders', ['id'])], DURABLE_CAPABILITIES)
    driver.resumed = [resumed({})]
    await using client = await connect(driver, { subscription: 'billing', resumeTimeoutMs: Infinity })
    await client.listen(SIGNALS).ready
    await client.listen({ table: 'orders' }).ready
    expect(driver.captured.map(rowsOf)).toEqual([[undefined], [undefined]])
  })

  test('and where a subscription had no rows, a listener that wants them is told of a gap', async () => {
    const driver = new ScriptedDriver([textRelation('orders', ['id'])], DURABLE_CAPABILITIES)
    driver.resumed = [resumed({ rows: false })]
    const gaps: string[] = []
    await using client = await connect(driver, {
      subscription: 'billing',
      on: { gap: ({ reason }) => gaps.push(reason) },
    })
    await Promise.all([client.listen({ table: 'orders' }).ready, client.listen(SIGNALS).ready])
    expect(gaps).toEqual([
      'The subscription captured of public.orders only what its listeners wanted when it last ran, and missed every row until now.',
    ])
  })
})

function resumed(more: Pick<CaptureRequest, 'rows'>): CaptureRequest {
  const operations = new Set(['insert', 'update', 'delete', 'truncate'] as const)
  return { table: { schema: 'public', name: 'orders' }, operations, columns: null, comparedEnums: new Set(), ...more }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is no such change')
  return value
}
