import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { standardTable } from '../tools/standard-table.ts'
import { tcpProxy } from '../tools/tcp-proxy.ts'
import { told, transactionsOf } from '../tools/told.ts'

const SUBSCRIPTION = 'conformance'

const resumed: ConformanceCase = {
  name: 'with a subscription, what was not done when a program crashed is told again, and what was written meanwhile too',
  law: 8,
  needs: ['listeners.withoutRows', 'operations.insert', 'delivery.subscription', 'transactions.id'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const insert = async (id: number): Promise<string> => {
      const [row] = await database.query(
        'INSERT INTO public.t VALUES ($1) RETURNING pg_current_xact_id()::text AS transaction',
        [id],
      )
      return String(row?.['transaction'])
    }
    const proxy = await tcpProxy(database.url)
    const options = { subscription: SUBSCRIPTION, on: { error: () => undefined } }
    const crashing = await context.connectTo(proxy.url, options, 'mayFail')
    let isStuck = false
    const before = await told(crashing, () => (isStuck ? new Promise(() => undefined) : undefined))
    await insert(1)
    await context.eventually(() => crashing.acknowledged !== null, 'the acknowledgement of a signal')
    isStuck = true
    const stuck = await insert(2)
    await context.eventually(() => before.signals.length === 2, 'a signal whose handler is busy')
    assert.equal(before.signals[1]?.transaction.id, stuck)
    await insert(3)
    await proxy[Symbol.asyncDispose]()
    const last = await insert(4)

    const next = await context.connect({ subscription: SUBSCRIPTION })
    const after = await told(next)
    await context.eventually(() => transactionsOf(after.signals).includes(last), 'a signal of what was written last')
    const { length } = after.signals
    assert.ok(length <= 4, `${length} signals of 4 transactions`)
    await context.eventually(() => next.acknowledged !== null, 'the acknowledgement of the last signal')
    await next.close()

    const third = await told(await context.connect({ subscription: SUBSCRIPTION }))
    const another = await insert(5)
    await context.eventually(() => third.signals.length > 0, 'a signal of what was written then')
    assert.deepEqual(transactionsOf(third.signals), [another], 'what was done is told again')
  },
}

/** Law 8, of listeners that are told only that their table has changed. */
export const durableSignalCases: readonly ConformanceCase[] = [resumed]
