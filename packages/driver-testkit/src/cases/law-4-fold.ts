import type { CapabilityName } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { fold } from '../tools/fold.ts'
import { createWorkloadTable, runWorkload, WORKLOAD_TABLE } from '../tools/random-workload.ts'
import { assertSameRows, readTable } from '../tools/read-table.ts'

const EVERY_ROW_CHANGE: readonly CapabilityName[] = [
  'operations.insert',
  'operations.update',
  'operations.delete',
  'keys.change',
]
const LAST_ID = 1_000_000

function foldOf(identity: 'FULL' | 'DEFAULT'): ConformanceCase {
  return {
    name: `the fold of the events is the table, under a random concurrent workload (replica identity ${identity.toLowerCase()})`,
    law: 4,
    needs: EVERY_ROW_CHANGE,
    timeoutMs: 120_000,
    async run(context) {
      const { database, sizes } = context
      await createWorkloadTable(database, identity)
      const collector = await context.listen(await context.connect(), { table: WORKLOAD_TABLE })
      const { committed } = await runWorkload({
        database,
        seed: sizes.seed,
        transactions: sizes.transactions,
        truncate: context.declares('operations.truncate'),
      })
      assert.ok(committed > 0, 'the workload committed something')
      await database.query(`INSERT INTO ${WORKLOAD_TABLE} (id) VALUES ($1)`, [LAST_ID])
      await collector.until((event) => event.key?.['id'] === LAST_ID, 'the last row of the workload')
      assertSameRows(fold(collector.events), await readTable(database, WORKLOAD_TABLE), 'the fold of the workload')
    },
  }
}

const lateListener: ConformanceCase = {
  name: 'the rows at ready and the events after it fold to the table, when a listener is attached in the middle of a workload',
  law: 4,
  needs: [...EVERY_ROW_CHANGE, 'listeners.attachWhileRunning'],
  timeoutMs: 120_000,
  async run(context) {
    const { database, sizes } = context
    await createWorkloadTable(database, 'FULL')
    const client = await context.connect()
    const transactions = Math.ceil(sizes.transactions / 2)
    const truncate = context.declares('operations.truncate')
    await runWorkload({ database, seed: sizes.seed, transactions, truncate })
    const writing = runWorkload({ database, seed: sizes.seed + 1, transactions, truncate })
    const collector = await context.listen(client, { table: WORKLOAD_TABLE })
    // Read after ready: what committed between the two is in both, so the fold cannot be strict.
    const start = await readTable(database, WORKLOAD_TABLE)
    await writing
    await database.query(`INSERT INTO ${WORKLOAD_TABLE} (id) VALUES ($1)`, [LAST_ID])
    await collector.until((event) => event.key?.['id'] === LAST_ID, 'the last row of the workload')
    const rows = fold(collector.events, { start: [...start.values()], strict: false })
    assertSameRows(rows, await readTable(database, WORKLOAD_TABLE), 'the fold from the rows at ready')
  },
}

/** Law 4: the fold of the events is the table. */
export const foldCases: readonly ConformanceCase[] = [foldOf('FULL'), foldOf('DEFAULT'), lateListener]
