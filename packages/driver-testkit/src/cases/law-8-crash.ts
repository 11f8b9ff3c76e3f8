import type { ChangeEvent } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { numbersOf } from '../tools/numbers-of.ts'
import { standardTable } from '../tools/standard-table.ts'
import { tcpProxy } from '../tools/tcp-proxy.ts'

const NEEDS = ['delivery.subscription', 'operations.insert'] as const
const SUBSCRIPTION = 'conformance'
/** A driver may try to connect again, or give up. */
const MAY_FAIL = { error: () => undefined }

const sameIds: ConformanceCase = {
  name: 'after a crash everything that was not acknowledged comes again, with the same ids, positions and transactions',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    // To the database a program that is killed, and one whose network ends, are the same.
    const proxy = await tcpProxy(database.url)
    const crashing = await context.connectTo(proxy.url, { subscription: SUBSCRIPTION, on: MAY_FAIL }, 'mayFail')
    const before: ChangeEvent[] = []
    const listener = crashing.listen({ table: 'public.t', ack: 'manual' })
    listener.on('change', (event) => void before.push(event))
    await listener.ready
    await database.query('INSERT INTO public.t VALUES (1)')
    await database.query(`INSERT INTO public.t VALUES (2), (3); UPDATE public.t SET v = 'x' WHERE id = 2`)
    await context.eventually(() => before.length === 4, 'four changes before the crash')
    await proxy[Symbol.asyncDispose]()
    await database.query('INSERT INTO public.t VALUES (5)')

    const client = await context.connect({ subscription: SUBSCRIPTION })
    const collector = await context.listen(client, { table: 'public.t' })
    const after = await collector.count(5, 'what was not acknowledged, and what was made since')
    const identities = ({ id, kind, position, transaction }: ChangeEvent): unknown => [
      id,
      kind,
      position,
      transaction?.id,
    ]
    assert.deepEqual(after.slice(0, 4).map(identities), before.map(identities))
  },
}

const stuckHandler: ConformanceCase = {
  name: 'nothing is acknowledged before its handler is done, whatever else is',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const proxy = await tcpProxy(database.url)
    const crashing = await context.connectTo(proxy.url, { subscription: SUBSCRIPTION, on: MAY_FAIL }, 'mayFail')
    const handled: number[] = []
    const stuck = Promise.withResolvers<void>()
    const listener = crashing.listen({ table: 'public.t', concurrency: 4 })
    listener.on('insert', async (event) => {
      const [id = 0] = numbersOf([event])
      if (id === 2) await stuck.promise
      handled.push(id)
    })
    await listener.ready
    for (const id of [1, 2, 3, 4]) await database.query('INSERT INTO public.t VALUES ($1)', [id])
    await context.eventually(() => handled.length === 3, 'the handlers of all but one')
    await proxy[Symbol.asyncDispose]()
    stuck.resolve()

    const client = await context.connect({ subscription: SUBSCRIPTION })
    const collector = await context.listen(client, { table: 'public.t' })
    await collector.until((event) => numbersOf([event])[0] === 4, 'the last change')
    const again = numbersOf(collector.events)
    assert.deepEqual(again, [1, 2, 3, 4].slice(-again.length), 'in order, and without a hole')
    assert.ok(again.includes(2), 'the change whose handler was not done was acknowledged')
  },
}

/** Law 8: a crash loses nothing. */
export const crashCases: readonly ConformanceCase[] = [sameIds, stuckHandler]
