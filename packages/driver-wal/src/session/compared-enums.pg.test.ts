import type { Client } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { cutConnections, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { walDriver } from '../wal-driver.ts'

const TABLE = `
  CREATE TYPE level AS ENUM ('low', 'high');
  CREATE TABLE t (id int PRIMARY KEY, v level);
  ALTER TABLE t REPLICA IDENTITY FULL`

interface Listening extends AsyncDisposable {
  readonly client: Client
  /** The rows that are high, by what a listener has heard of them. */
  readonly high: readonly unknown[]
  readonly reconnected: () => boolean
}

async function listening(database: TestDatabase, subscription: string | null): Promise<Listening> {
  const driver = walDriver({
    connection: database.url,
    streaming: 'on',
    reconnect: { minDelayMs: 10, maxDelayMs: 100 },
  })
  let isConnected = false
  const client = await connect(driver, {
    ...(subscription === null ? {} : { subscription }),
    on: {
      gap: () => undefined,
      reconnect: ({ outcome }) => {
        if (outcome === 'connected') isConnected = true
      },
    },
  })
  const high: unknown[] = []
  const listener = client.listen<{ id: number; v: string }>({ table: 't', where: { v: { gte: 'high' } } })
  listener.on('insert', (event) => void high.push(event.new.id))
  await listener.ready
  return {
    client: client as unknown as Client,
    high,
    reconnected: () => isConnected,
    [Symbol.asyncDispose]: async () => void (await client.close()),
  }
}

describePostgres('labels that are added to an enumeration that a condition compares', (postgres) => {
  test.each(['billing', null])('are known after the connection was lost, too (subscription: %s)', async (name) => {
    await using database = await postgres.createDatabase()
    await database.query(TABLE)
    await using listener = await listening(database, name)
    await database.query(`INSERT INTO t VALUES (1, 'low'), (2, 'high')`)
    await eventually(() => listener.high.length === 1, 'the row that is high')
    await cutConnections(database)
    await eventually(listener.reconnected, 'a new connection')
    // The new connection hears of the table, and then of nothing but rows.
    await database.query(`INSERT INTO t VALUES (3, 'high')`)
    await eventually(() => listener.high.length === 2, 'a row of the new connection')
    await database.query(`ALTER TYPE level ADD VALUE 'middle' BEFORE 'high'`)
    await database.query(`ALTER TYPE level ADD VALUE 'top'`)
    await database.query(`INSERT INTO t VALUES (4, 'middle'), (5, 'top'), (6, 'high')`)
    await eventually(() => listener.high.length === 4, 'the rows that are high')
    expect(listener.high).toEqual([2, 3, 5, 6])
  })

  test('are known in a transaction that is streamed while it is open', async () => {
    await using database = await postgres.createDatabase()
    // What is more comes in parts.
    await database.query(`ALTER DATABASE "${database.name}" SET logical_decoding_work_mem = '64kB'`)
    await database.query(TABLE)
    await using listener = await listening(database, null)
    await database.query(`INSERT INTO t VALUES (1, 'high')`)
    await eventually(() => listener.high.length === 1, 'the row that is high')
    await database.query(`ALTER TYPE level ADD VALUE 'middle' BEFORE 'high'`)
    await database.query(`ALTER TYPE level ADD VALUE 'top'`)
    await database.query(`
      INSERT INTO t SELECT n, (ARRAY['low', 'middle', 'high', 'top']::level[])[n % 4 + 1] FROM generate_series(2, 40001) n`)
    await eventually(() => listener.high.length === 20_001, 'the rows that are high')
    expect(listener.high.slice(1).every((id) => Number(id) % 4 >= 2)).toBe(true)
  })
})
