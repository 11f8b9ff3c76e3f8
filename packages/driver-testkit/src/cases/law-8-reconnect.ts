import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { cancelStatements, cutConnections } from '../tools/cut-connections.ts'
import { numbersOf } from '../tools/numbers-of.ts'
import { standardTable } from '../tools/standard-table.ts'
import { tcpProxy } from '../tools/tcp-proxy.ts'

const NEEDS = ['delivery.subscription', 'delivery.reconnect', 'operations.insert'] as const
const SUBSCRIPTION = 'conformance'
const ROWS = 300

/** How long a silent connection may take to be found, and another one to be made. */
const FROZEN_MS = 60_000

const cut: ConformanceCase = {
  name: 'a client with a subscription whose connections are cut again and again loses, repeats and reorders nothing',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const client = await context.connect({ subscription: SUBSCRIPTION })
    const gaps: string[] = []
    client.on('gap', ({ reason }) => gaps.push(reason))
    let connected = 0
    client.on('reconnect', ({ outcome }) => {
      if (outcome === 'connected') connected += 1
    })
    const collector = await context.listen(client, { table: 'public.t' })
    for (let id = 1; id <= ROWS; id += 1) {
      await database.query('INSERT INTO public.t VALUES ($1)', [id])
      if (id % 100 !== 50) continue
      const before = connected
      await cutConnections(database)
      await context.eventually(() => connected > before, 'a new connection')
    }
    const events = await collector.count(ROWS, 'every insert')
    assert.deepEqual(
      numbersOf(events),
      Array.from({ length: ROWS }, (_, index) => index + 1),
    )
    assert.deepEqual(gaps, [])
  },
}

const frozen: ConformanceCase = {
  name: 'a connection that nothing passes any more is found, made again, and with a subscription nothing is lost',
  law: 8,
  needs: NEEDS,
  timeoutMs: 120_000,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await using proxy = await tcpProxy(database.url)
    const client = await context.connectTo(proxy.url, { subscription: SUBSCRIPTION })
    const attempts: number[] = []
    client.on('reconnect', ({ attempt }) => attempts.push(attempt))
    const collector = await context.listen(client, { table: 'public.t' })
    await database.query('INSERT INTO public.t VALUES (1)')
    await collector.count(1, 'the insert before')
    proxy.freeze()
    await database.query('INSERT INTO public.t VALUES (2)')
    await context.eventually(() => attempts.length > 0, 'the loss is found', FROZEN_MS)
    proxy.thaw()
    await context.eventually(() => collector.events.length >= 2, 'the insert made meanwhile', FROZEN_MS)
    assert.deepEqual(numbersOf(collector.events), [1, 2])
    await client.close()
  },
}

const cancelled: ConformanceCase = {
  name: 'a client with a subscription whose statements are cancelled again and again loses, repeats and reorders nothing',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const client = await context.connect({ subscription: SUBSCRIPTION })
    const gaps: string[] = []
    client.on('gap', ({ reason }) => gaps.push(reason))
    const collector = await context.listen(client, { table: 'public.t' })
    for (let id = 1; id <= ROWS; id += 1) {
      await database.query('INSERT INTO public.t VALUES ($1)', [id])
      if (id % 3 === 0) await cancelStatements(database)
    }
    const events = await collector.count(ROWS, 'every insert')
    assert.deepEqual(
      numbersOf(events),
      Array.from({ length: ROWS }, (_, index) => index + 1),
    )
    assert.deepEqual(gaps, [])
  },
}

/** Law 8, over lost connections. */
export const reconnectCases: readonly ConformanceCase[] = [cut, cancelled, frozen]
