import type { Client } from '@rowtap/core'
import { connect } from '@rowtap/core'
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
    await eventually(() => told.length > 0, 'the signal of a replicated insert')
    expect(told).toEqual(['insert'])
    await other.close()
  })

  test('give way to rows for good, also where the table is looked after while another one is waited for', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE p (id int) PARTITION BY LIST (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
      CREATE TABLE other (id int)`)
    const waits: string[] = []
    await using client = await connect(triggerDriver({ connection: database.url }), {
      on: { wait: ({ reason }) => waits.push(reason) },
    })
    const told = await signalsOf(client, 'p')
    const writer = await database.connect()
    await writer.query('BEGIN; INSERT INTO other VALUES (1)')
    const rows: unknown[] = []
    const listeners = ['p', 'other'].map((table) => client.listen({ table }))
    listeners[0]?.on('insert', (event) => void rows.push(event.new))
    await eventually(() => waits.length > 0, 'the notice that the other table is waited for')
    await database.query('CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)')
    const hasTruncate = `SELECT FROM pg_trigger WHERE tgrelid = 'p2'::regclass AND tgname = '!rowtap truncate'`
    await eventually(async () => (await database.query(hasTruncate)).length > 0, 'the trigger on the new partition')
    await writer.query('COMMIT')
    await Promise.all(listeners.map(({ ready }) => ready))
    await database.query('INSERT INTO p VALUES (1), (2)')
    await eventually(() => told.length > 0 && rows.length > 1, 'a signal, and the rows')
    expect(rows).toEqual([{ id: 1 }, { id: 2 }])
  })

  test('of one operation let a listener with rows of it stop at once, and tell of another operation from when that is asked for', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    const waits: string[] = []
    const gaps: string[] = []
    await using client = await connect(triggerDriver({ connection: database.url, pushdown: 'conditions' }), {
      on: { wait: ({ reason }) => waits.push(reason), gap: ({ reason }) => gaps.push(reason) },
    })
    const operations = ['insert'] as const
    await client.listen({ table: 't', rows: false, operations }).ready
    const listener = client.listen({ table: 't', operations })
    await listener.ready
    const writer = await database.connect()
    await writer.query(`BEGIN; INSERT INTO t VALUES (10, 'a', 'b')`)
    await listener.stop()
    expect(waits).toEqual([])
    const told: string[] = []
    const other = client.listen({ table: 't', rows: false })
    other.on('signal', ({ operation }) => void told.push(operation))
    await eventually(() => waits.length > 0, 'the notice that the writer is waited for')
    await writer.query('COMMIT')
    await other.ready
    await database.query(`UPDATE t SET a = 'other' WHERE id = 1`)
    await eventually(() => told.includes('update'), 'the signal of an update')
    expect([told.includes('delete'), gaps]).toEqual([false, []])
  })
})
