import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Interruption } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openConnection } from '../connection/connection.ts'
import { sql } from '../sql/sql.ts'
import { SnapshotConnection } from './snapshot-connection.ts'

const ONE = sql`select 1 as n`
const SLEEP = sql`select pg_catalog.pg_sleep(600)`

function connectionTo(database: TestDatabase, signal: AbortSignal, loss: Interruption): SnapshotConnection {
  return new SnapshotConnection({
    connect: () => openConnection({ connection: database.url, schema: 'rowtap' }, signal),
    link: () => Promise.resolve({ unlessLost: (work) => loss.unless(work) }),
    signal,
  })
}

describePostgres('a connection for reading tables', (postgres) => {
  test('keeps nothing of what was read, however long its link lasts', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    await using database = await postgres.createDatabase()
    const connection = connectionTo(database, new AbortController().signal, new Interruption())
    const read = (): Promise<readonly object[]> => connection.run((open) => open.rows(ONE))
    const first = new WeakRef(await read())
    await read()
    await eventually(() => {
      collectGarbage()
      return first.deref() === undefined
    }, 'the first reading is forgotten')
    expect(await read()).toEqual([{ n: 1 }])
    await connection.close()
  })

  test('waits for nothing when the session ends', async () => {
    await using database = await postgres.createDatabase()
    const ending = new AbortController()
    const connection = connectionTo(database, ending.signal, new Interruption())
    const reading = connection.run((open) => open.rows(SLEEP))
    reading.catch(() => undefined)
    await eventually(
      async () =>
        (await database.query(`SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND state = 'active'`))
          .length > 0,
      'the statement is under way',
    )
    ending.abort()
    await connection.close()
    await expect(reading).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await database.query(`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND query LIKE '%pg_sleep(600)' AND application_name = 'rowtap'`)
  })
})
