import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { hostileWriter } from '../tools/hostile-session.ts'
import { assertSameRow, readTable } from '../tools/read-table.ts'
import { collectSnapshot } from '../tools/snapshot-collector.ts'
import { createSamples, insertSamples, isBuiltIn } from './sample-table.ts'
import type { TypeFamily } from './type-samples.ts'
import { TYPE_FAMILIES } from './type-samples.ts'

const TABLE = 'public.samples'

function snapshotOf(family: TypeFamily): ConformanceCase {
  return {
    name: `${family.name} in the rows of a snapshot are what pg returns`,
    law: 1,
    needs: ['snapshot.initial', 'operations.insert'],
    async run(context) {
      const { database } = context
      if (!(await isBuiltIn(database, family))) return
      await createSamples(database, family)
      await insertSamples(await hostileWriter(database), family)
      const rows = [...(await readTable(database, TABLE)).values()]
      const collector = collectSnapshot(await context.connect(), { table: TABLE })
      await collector.listener.snapshotDone
      for (const [index, row] of rows.entries()) assertSameRow(collector.delivered[index]?.new, row, `sample ${index}`)
    },
  }
}

/** Law 1: a row of a snapshot is what a SELECT returns. */
export const snapshotIdentityCases: readonly ConformanceCase[] = TYPE_FAMILIES.map(snapshotOf)
