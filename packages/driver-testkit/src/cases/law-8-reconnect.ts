import { RowtapError } from '@rowtap/core'
import { quoteIdentifier } from '@rowtap/core/driver'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { cancelStatements, cutConnections } from '../tools/cut-connections.ts'
import { numbersOf } from '../tools/numbers-of.ts'
import { standardTable } from '../tools/standard-table.ts'
import { tcpProxy } from '../tools/tcp-proxy.ts'

const NEEDS = ['delivery.subscription', 'delivery.reconnect', 'operations.insert'] as const
const SUBSCRIPTION = 'conformance'
const ROWS = 300
const ALTERED_ROWS = 60

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

const attached: ConformanceCase = {
  name: 'listeners that are attached while statements are cancelled, and their tables altered, all become ready; nothing is lost',
  law: 8,
  needs: [...NEEDS, 'listeners.attachWhileRunning'],
  async run(context) {
    const { database } = context
    const tables = ['t0', 't1', 't2']
    for (const table of tables) await standardTable(database, table)
    const client = await context.connect({ subscription: SUBSCRIPTION })
    const gaps: string[] = []
    client.on('gap', ({ reason }) => gaps.push(reason))
    const first = await context.listen(client, { table: 'public.t0' })
    const others = tables.slice(1).map((table) => context.listen(client, { table: `public.${table}` }))
    const attaching = Promise.all(others)
    // It is waited for below; meanwhile its failure is not an unhandled one.
    attaching.catch(() => undefined)
    for (let id = 1; id <= ALTERED_ROWS; id += 1) {
      await database.query('INSERT INTO public.t0 (id) VALUES ($1)', [id])
      if (id % 10 === 0) await database.query(`ALTER TABLE public.t0 ADD COLUMN c${id} int`)
      await cancelStatements(database)
    }
    const collectors = await attaching
    await first.count(ALTERED_ROWS, 'every insert')
    assert.deepEqual(
      numbersOf(first.events),
      Array.from({ length: ALTERED_ROWS }, (_, index) => index + 1),
    )
    for (const [index, collector] of collectors.entries()) {
      await database.query(`INSERT INTO public.t${index + 1} VALUES (1)`)
      await collector.count(1, 'the insert after ready')
    }
    assert.deepEqual(gaps, [])
  },
}

const closedDatabase: ConformanceCase = {
  name: 'a client whose database takes no connections for a while waits for it; one that is new is refused at once',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const client = await context.connect({ subscription: SUBSCRIPTION })
    const refusals: string[] = []
    client.on('reconnect', ({ cause }) => {
      if (cause.code === 'ERR_CONNECTION_FAILED') refusals.push(cause.message)
    })
    const collector = await context.listen(client, { table: 'public.t' })
    // Nobody may close the database that he is connected to, and who is connected stays.
    const administrator = await database.connect({ connectionString: database.server.url })
    const name = quoteIdentifier(database.name)
    await database.query('INSERT INTO public.t VALUES (1)')
    await administrator.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    try {
      await cutConnections(database)
      await context.eventually(() => refusals.length > 0, 'an attempt that is refused')
      await assert.rejects(context.connect(), (error) => RowtapError.is(error, 'ERR_CONNECTION_FAILED'))
    } finally {
      await administrator.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
    }
    await database.query('INSERT INTO public.t VALUES (2)')
    assert.deepEqual(numbersOf(await collector.count(2, 'both inserts')), [1, 2])
    assert.match(refusals[0] ?? '', /ALLOW_CONNECTIONS true/u)
  },
}

/** Law 8, over lost connections. */
export const reconnectCases: readonly ConformanceCase[] = [cut, cancelled, attached, closedDatabase, frozen]
