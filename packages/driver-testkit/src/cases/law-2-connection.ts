import type { RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { cutConnections } from '../tools/cut-connections.ts'
import { standardTable } from '../tools/standard-table.ts'

const lost: ConformanceCase = {
  name: 'a lost connection is told: by ERR_CONNECTION_LOST, or by reconnecting with a gap where changes may be missing',
  law: 2,
  needs: ['operations.insert'],
  proves: ['delivery.reconnect'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const client = await context.connect({}, 'mayFail')
    const errors: RowtapError[] = []
    const gaps: string[] = []
    const reconnects: number[] = []
    client.on('error', (error) => errors.push(error))
    client.on('gap', ({ reason }) => gaps.push(reason))
    client.on('reconnect', ({ attempt }) => reconnects.push(attempt))
    const collector = await context.listen(client, { table: 'public.t' })
    await cutConnections(database)
    await database.query('INSERT INTO public.t VALUES (1)')
    const arrived = (): boolean => collector.events.length > 0
    await context.eventually(
      () => errors.length > 0 || gaps.length > 0 || arrived(),
      'an error, a gap, or the change made meanwhile',
    )
    if (context.declares('delivery.reconnect')) {
      assert.deepEqual(errors, [], 'the manifest promises to reconnect')
      assert.ok(reconnects.length > 0, 'a reconnect is told')
      await context.eventually(async () => {
        await database.query('INSERT INTO public.t SELECT coalesce(max(id), 0) + 1 FROM public.t')
        return arrived()
      }, 'changes after the reconnect')
    } else {
      assert.equal(errors[0]?.code, 'ERR_CONNECTION_LOST')
    }
  },
}

/** Law 2: no silent gap. */
export const connectionCases: readonly ConformanceCase[] = [lost]
