import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { numbersOf } from '../tools/numbers-of.ts'
import { standardTable } from '../tools/standard-table.ts'
import { tcpProxy } from '../tools/tcp-proxy.ts'

const NEEDS = ['delivery.subscription', 'operations.insert'] as const
const SUBSCRIPTION = 'conformance'
const TAKE_OVER_MS = 5000
/** A driver may try to connect again, or give up. */
const MAY_FAIL = { error: () => undefined }

const inUse: ConformanceCase = {
  name: 'a subscription that another client has is refused at once with wait: false, and the other client goes on',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const client = await context.connect({ subscription: SUBSCRIPTION })
    const collector = await context.listen(client, { table: 'public.t' })
    await assert.rejects(context.connect({ subscription: SUBSCRIPTION, wait: false }), {
      code: 'ERR_SUBSCRIPTION_IN_USE',
    })
    await database.query('INSERT INTO public.t VALUES (1)')
    await collector.count(1, 'the insert, for the client that has the subscription')
  },
}

const takeOver: ConformanceCase = {
  name: 'a client that waits for a subscription says so, and takes it over within five seconds of the other one’s crash',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const proxy = await tcpProxy(database.url)
    const first = await context.connectTo(proxy.url, { subscription: SUBSCRIPTION, on: MAY_FAIL }, 'mayFail')
    const ofFirst = await context.listen(first, { table: 'public.t' })
    await database.query('INSERT INTO public.t VALUES (1)')
    await ofFirst.count(1, 'the insert, for the first client')
    const waits: (readonly number[])[] = []
    const connecting = context.connect({
      subscription: SUBSCRIPTION,
      on: { wait: ({ processIds }) => waits.push(processIds) },
    })
    // When it fails the test fails, here or below.
    connecting.catch(() => undefined)
    await context.eventually(() => waits.length > 0, 'a notice that the second client waits')
    assert.ok((waits[0]?.length ?? 0) > 0, 'the notice names the process of the server')
    await proxy[Symbol.asyncDispose]()
    const since = performance.now()
    const second = await connecting
    const ofSecond = await context.listen(second, { table: 'public.t' })
    assert.ok(performance.now() - since < TAKE_OVER_MS, `it took ${Math.round(performance.now() - since)} ms`)
    await database.query('INSERT INTO public.t VALUES (2)')
    await ofSecond.until((event) => numbersOf([event])[0] === 2, 'the insert after the take-over')
  },
}

/** Law 8: one client at a time has a subscription. */
export const takeOverCases: readonly ConformanceCase[] = [inUse, takeOver]
