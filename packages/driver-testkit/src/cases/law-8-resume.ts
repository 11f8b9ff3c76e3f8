import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import type { ConformanceContext } from '../conformance/conformance-context.ts'
import { numbersOf } from '../tools/numbers-of.ts'
import { standardTable } from '../tools/standard-table.ts'

const NEEDS = ['delivery.subscription', 'operations.insert'] as const
const SUBSCRIPTION = 'conformance'

/** Runs a client with the subscription that captures these tables, sees one row of each, and is closed. */
async function runOnce(context: ConformanceContext, tables: readonly string[]): Promise<void> {
  const client = await context.connect({ subscription: SUBSCRIPTION })
  for (const table of tables) {
    const collector = await context.listen(client, { table: `public.${table}` })
    await context.database.query(`INSERT INTO public.${table} VALUES (1)`)
    await collector.count(1, `the first insert of ${table}`)
  }
  await client.close()
}

const afterClose: ConformanceCase = {
  name: 'a subscription goes on after a close: what was made meanwhile arrives, what was handled does not come again',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await runOnce(context, ['t'])
    for (const id of [2, 3, 4]) await database.query('INSERT INTO public.t VALUES ($1)', [id])
    const client = await context.connect({ subscription: SUBSCRIPTION })
    const collector = await context.listen(client, { table: 'public.t' })
    await database.query('INSERT INTO public.t VALUES (5)')
    const events = await collector.count(4, 'what was made while no client ran, and what after')
    assert.deepEqual(numbersOf(events), [2, 3, 4, 5])
  },
}

const afterStop: ConformanceCase = {
  name: 'a subscription captures the table of a listener that was stopped before the close, and not of one that was discarded',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    for (const table of ['a', 'b']) await standardTable(database, table)
    const client = await context.connect({ subscription: SUBSCRIPTION })
    const [stopped, discarded] = ['a', 'b'].map((table) => client.listen({ table: `public.${table}` }))
    await Promise.all([stopped?.ready, discarded?.ready])
    await stopped?.stop()
    await discarded?.stop()
    // It may be said later, too.
    await discarded?.stop({ discard: true })
    await client.close()
    await database.query('INSERT INTO public.b VALUES (1); INSERT INTO public.a VALUES (2)')
    const next = await context.connect({ subscription: SUBSCRIPTION })
    const kept = await context.listen(next, { table: 'public.a' })
    const anew = await context.listen(next, { table: 'public.b' })
    await database.query('INSERT INTO public.b VALUES (3); INSERT INTO public.a VALUES (4)')
    assert.deepEqual(numbersOf(await kept.count(2, 'what was written to the table after the close')), [2, 4])
    assert.deepEqual(numbersOf(await anew.count(1, 'what was written to the other one since its listener')), [3])
  },
}

const oneAfterAnother: ConformanceCase = {
  name: 'listeners that a program attaches one after another when it goes on miss nothing, and nothing is out of order',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    for (const table of ['a', 'b']) await standardTable(database, table)
    await runOnce(context, ['a', 'b'])
    await database.query(
      'INSERT INTO public.a VALUES (2); INSERT INTO public.b VALUES (3); INSERT INTO public.a VALUES (4)',
    )
    const client = await context.connect({ subscription: SUBSCRIPTION })
    const seen: string[] = []
    const first = client.listen({ table: 'public.a' })
    first.on('change', (event) => void seen.push(`a ${numbersOf([event]).join()}`))
    await first.ready
    const second = client.listen({ table: 'public.b' })
    second.on('change', (event) => void seen.push(`b ${numbersOf([event]).join()}`))
    await second.ready
    await context.eventually(() => seen.length >= 3, 'three changes from the time when no client ran')
    assert.deepEqual(seen.toSorted(), ['a 2', 'a 4', 'b 3'])
    assert.ok(seen.indexOf('a 2') < seen.indexOf('a 4'))
  },
}

const twoOfOneTable: ConformanceCase = {
  name: 'the second listener of a table, attached once the first is ready, is given all that the first is given',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await runOnce(context, ['t'])
    for (const id of [2, 3, 4]) await database.query('INSERT INTO public.t VALUES ($1)', [id])
    const client = await context.connect({ subscription: SUBSCRIPTION })
    const first = await context.listen(client, { table: 'public.t' })
    const second = await context.listen(client, { table: 'public.t' })
    for (const [name, collector] of Object.entries({ first, second }))
      assert.deepEqual(numbersOf(await collector.count(3, `what was made meanwhile, for the ${name}`)), [2, 3, 4])
  },
}

const lateListener: ConformanceCase = {
  name: 'a listener that comes when changes since the subscription last ran are with others is told so, and is given what comes after',
  law: 2,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await runOnce(context, ['t'])
    await database.query('INSERT INTO public.t VALUES (2)')
    const gaps: string[] = []
    const client = await context.connect({
      subscription: SUBSCRIPTION,
      resumeTimeoutMs: Infinity,
      on: { gap: ({ reason }) => gaps.push(reason) },
    })
    const first = await context.listen(client, { table: 'public.t' })
    await first.count(1, 'what was made meanwhile')
    const late = await context.listen(client, { table: 'public.t' })
    assert.equal(gaps.length, 1)
    assert.ok(gaps[0]?.includes('public.t'), `the gap does not name the table: ${gaps[0]}`)
    await database.query('INSERT INTO public.t VALUES (3)')
    assert.deepEqual(numbersOf(await late.count(1, 'the insert after the late listener')), [3])
  },
}

const noListener: ConformanceCase = {
  name: 'a table that the subscription captured and nobody listens to any more is told as a gap, and keeps nothing back',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    for (const table of ['a', 'b']) await standardTable(database, table)
    await runOnce(context, ['a', 'b'])
    await database.query('INSERT INTO public.b VALUES (2); INSERT INTO public.a VALUES (3)')
    const gaps: string[] = []
    const client = await context.connect({
      subscription: SUBSCRIPTION,
      resumeTimeoutMs: 200,
      on: { gap: ({ reason }) => gaps.push(reason) },
    })
    const collector = await context.listen(client, { table: 'public.a' })
    assert.deepEqual(numbersOf(await collector.count(1, 'the change behind one that nobody wants')), [3])
    assert.equal(gaps.length, 1)
    assert.ok(gaps[0]?.includes('public.b'), `the gap does not name the table: ${gaps[0]}`)
  },
}

const twoDatabases: ConformanceCase = {
  name: 'subscriptions of one name in two databases of a server have nothing to do with each other',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await using other = await database.server.createDatabase()
    for (const one of [database, other]) await standardTable(one, 't')
    const here = await context.connect({ subscription: SUBSCRIPTION, wait: false })
    const ofHere = await context.listen(here, { table: 'public.t' })
    const there = await context.connectTo(other.url, { subscription: SUBSCRIPTION, wait: false })
    const ofThere = await context.listen(there, { table: 'public.t' })
    await database.query('INSERT INTO public.t VALUES (1)')
    await other.query('INSERT INTO public.t VALUES (2)')
    assert.deepEqual(numbersOf(await ofHere.count(1, 'the insert of this database')), [1])
    assert.deepEqual(numbersOf(await ofThere.count(1, 'the insert of the other database')), [2])
    await there.close()
  },
}

/** Law 8: a subscription goes on where it ended. */
export const resumeCases: readonly ConformanceCase[] = [
  afterClose,
  afterStop,
  oneAfterAnother,
  twoOfOneTable,
  lateListener,
  noListener,
  twoDatabases,
]
