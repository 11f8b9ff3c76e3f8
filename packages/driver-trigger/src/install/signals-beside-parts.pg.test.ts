import type { Client, ListenOptions } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { triggerDriver } from '../trigger-driver.ts'

const T = `CREATE TABLE t (id int PRIMARY KEY, a text, b text); INSERT INTO t SELECT i, 'a', 'b' FROM generate_series(1, 9) i`

/** The operations that a listener without rows is told of. */
async function signalsOf(client: Client, table = 't'): Promise<string[]> {
  const told: string[] = []
  const listener = client.listen({ table, rows: false })
  listener.on('signal', ({ operation }) => void told.push(operation))
  await listener.ready
  return told
}

describePostgres('signals of a table that is captured in part', (postgres) => {
  test('tell of an update of columns that no listener of the same client wants', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using client = await connect(triggerDriver({ connection: database.url, pushdown: 'conditions' }))
    const told = await signalsOf(client)
    await client.listen({ table: 't', columns: ['id', 'a'] }).ready
    await database.query(`UPDATE t SET b = 'other' WHERE id = 1`)
    await eventually(() => told.length === 1, 'the signal of an update')
    expect(told).toEqual(['update'])
  })

  test('tell a subscription that goes on which updates were not captured', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    const driver = triggerDriver({ connection: database.url, pushdown: 'conditions' })
    const first = await connect(driver, { subscription: 'cache' })
    await first.listen({ table: 't', columns: ['id', 'a'] }).ready
    await first.close()
    await database.query(`UPDATE t SET b = 'other' WHERE id = 1`)
    const gaps: string[] = []
    await using client = await connect(driver, {
      subscription: 'cache',
      on: { gap: ({ reason }) => gaps.push(reason) },
    })
    await signalsOf(client)
    expect(gaps).toEqual([expect.stringMatching(/updates of other columns/)])
  })

  test('stay ENABLE ALWAYS where another client, which is not, comes to want rows', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using always = await connect(triggerDriver({ connection: database.url, enableAlways: true }))
    const told = await signalsOf(always)
    const other = await connect(triggerDriver({ connection: database.url }))
    await other.listen({ table: 't' }).ready
    const writer = await database.connect()
    await writer.query(`SET session_replication_role = replica; INSERT INTO t VALUES (10, 'a', 'b')`)
    await eventually(() => told.length === 1, 'the signal of a replicated insert')
    await other.close()
  })
})
