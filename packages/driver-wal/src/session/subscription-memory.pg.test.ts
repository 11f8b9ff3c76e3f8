import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { clientConfig } from '../connection/client-config.ts'
import { ControlConnection } from '../connection/control-connection.ts'
import { durableName } from '../publication/durable-name.ts'
import { commentOn, readComment } from '../publication/publication-comment.ts'
import { testHost } from '../testing/test-session.ts'
import { SubscriptionMemory } from './subscription-memory.ts'
import { parseRecord, recordText } from './subscription-record.ts'

describePostgres('the memory of a subscription', (postgres) => {
  test('goes on from what is written down, whether or not it heard that it was', async () => {
    await using database = await postgres.createDatabase()
    const name = durableName('billing', 1)
    const { all, inserts } = name.publications
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY);
      CREATE PUBLICATION "${all}" FOR TABLE t;
      CREATE PUBLICATION "${inserts}" WITH (publish = 'insert')`)
    const control = new ControlConnection(clientConfig(database.url))
    await control.connect()
    try {
      const of = { name, host: testHost({ name: 'billing' }) }
      const server = { systemId: '1', timeline: 1 }
      const memory = new SubscriptionMemory()
      await memory.take(control, { ...of, server }, await memory.recall(control, name, server))
      const record = parseRecord(await readComment(control, inserts))
      expect(record?.tables.map((table) => table.name)).toEqual(['t'])
      if (record === null) return
      // A table that is about to be taken out is forgotten: written down by a connection that was lost before it said so.
      await control.query(commentOn(inserts, recordText({ ...record, tables: [] })))
      await memory.take(control, { ...of, server }, await memory.recall(control, name, server))
      await memory.settle(control, of, () => undefined)
      const settled = parseRecord(await readComment(control, inserts))
      expect(settled?.tables.map((table) => table.name)).toEqual(['t'])
    } finally {
      await control.end()
    }
  })

  test('tells of what was missed before it writes down that it is over: who ends between is followed by one who tells', async () => {
    await using database = await postgres.createDatabase()
    const name = durableName('billing', 1)
    const { all, inserts } = name.publications
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY);
      CREATE PUBLICATION "${all}" FOR TABLE t WITH (publish_via_partition_root = true);
      CREATE PUBLICATION "${inserts}" WITH (publish = 'insert')`)
    const control = new ControlConnection(clientConfig(database.url))
    await control.connect()
    try {
      const of = { name, host: testHost({ name: 'billing' }) }
      const server = { systemId: '1', timeline: 1 }
      const uncovered = async (): Promise<readonly string[]> =>
        (await new SubscriptionMemory().recall(control, name, server)).uncovered.map(({ table }) => table.name)
      const memory = new SubscriptionMemory()
      await memory.take(control, { ...of, server }, await memory.recall(control, name, server))
      await database.query(`ALTER PUBLICATION "${all}" DROP TABLE t; ALTER PUBLICATION "${all}" ADD TABLE t`)
      expect(await uncovered()).toEqual(['t'])
      const end = new Error('the process ends here')
      const ending = memory.settle(control, of, () => {
        throw end
      })
      await expect(ending).rejects.toBe(end)
      expect(await uncovered()).toEqual(['t'])
      const told: string[] = []
      await memory.settle(control, of, (missed) => told.push(...missed.map((table) => table.name)))
      expect(told).toEqual(['t'])
      expect(await uncovered()).toEqual([])
    } finally {
      await control.end()
    }
  })
})
