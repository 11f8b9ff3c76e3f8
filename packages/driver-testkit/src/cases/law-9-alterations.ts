import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { eventsSoFar, standardTable } from '../tools/standard-table.ts'

const attached: ConformanceCase = {
  name: 'a captured table can be attached to another captured table as its partition, detached, and attached again',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await database.query('CREATE TABLE public.r (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)')
    await standardTable(database, 'm')
    const client = await context.connect()
    const root = await context.listen(client, { table: 'public.r' })
    await context.listen(client, { table: 'public.m' })
    const attach = 'ALTER TABLE public.r ATTACH PARTITION public.m FOR VALUES FROM (-10000000) TO (10)'
    await assert.doesNotReject(async () => {
      await database.query(attach)
      await database.query('ALTER TABLE public.r DETACH PARTITION public.m')
      await database.query(attach)
      await database.query(`INSERT INTO public.r VALUES (1, 'a')`)
    }, 'capturing makes the user’s statement fail')
    const events = await eventsSoFar(database, root, 'r')
    assert.deepEqual(
      events.map(({ key }) => key?.['id']),
      [1],
      'lost or duplicated: the insert, for the listener of the partitioned table',
    )
  },
}

const serializable: ConformanceCase = {
  name: 'SERIALIZABLE transactions that write different rows do not fail after the table was altered',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const [one, other] = await Promise.all([database.connect(), database.connect()])
    await database.query('ALTER TABLE public.t ADD n int')
    await assert.doesNotReject(async () => {
      for (const writer of [one, other]) await writer.query('BEGIN ISOLATION LEVEL SERIALIZABLE')
      await one.query(`INSERT INTO public.t VALUES (1, 'a', 1)`)
      await other.query(`INSERT INTO public.t VALUES (2, 'b', 2)`)
      await one.query(`INSERT INTO public.t VALUES (3, 'a', 3)`)
      await other.query(`INSERT INTO public.t VALUES (4, 'b', 4)`)
      await one.query('COMMIT')
      await other.query('COMMIT')
    }, 'capturing makes the user’s transaction fail')
    assert.equal((await eventsSoFar(database, collector, 't')).length, 4)
  },
}

/** Law 9: what is captured can be altered, and written to, as before. */
export const alteredTableCases: readonly ConformanceCase[] = [attached, serializable]
