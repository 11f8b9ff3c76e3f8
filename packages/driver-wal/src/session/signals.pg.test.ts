import { connect } from '@rowtap/core'
import { eventually, startPostgres } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { walDriver } from '../wal-driver.ts'

const COMMITTING = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`

test('a listener without rows is told of a transaction when it can be seen, also where its commit waits for a standby', async () => {
  await using server = await startPostgres({
    settings: { synchronous_standby_names: 'nobody', synchronous_commit: 'local' },
  })
  await using database = await server.createDatabase()
  await database.query('CREATE TABLE t (id int PRIMARY KEY)')
  await using client = await connect(walDriver({ connection: database.url }))
  const waits: (readonly number[])[] = []
  client.on('wait', ({ processIds }) => void waits.push(processIds))
  const seen: unknown[] = []
  const listener = client.listen({ table: 't', rows: false })
  listener.on('signal', async () => {
    seen.push(await database.query('SELECT count(*)::int AS count FROM t'))
  })
  await listener.ready
  const writer = await database.connect()
  await writer.query('SET synchronous_commit = on')
  const committed = writer.query('INSERT INTO t VALUES (1)')
  await eventually(() => seen.length > 0 || waits.length > 0, 'a signal, or a notice of what is waited for')
  const [process] = await database.query(COMMITTING)
  expect([seen, waits]).toEqual([[], [[process?.['pid']]]])
  await database.query('SELECT pg_cancel_backend($1)', [process?.['pid']])
  await committed
  await eventually(() => seen.length === 1, 'the signal')
  expect(seen).toEqual([[{ count: 1 }]])
})

describePostgres('a listener without rows', (postgres) => {
  test('is told of every insert, whatever rows and columns the server leaves out for others', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text, note text); CREATE TABLE bare (v text)')
    await using client = await connect(walDriver({ connection: database.url, pushdown: 'inserts' }))
    const rows: unknown[] = []
    const some = client.listen({ table: 't', operations: ['insert'], where: { v: 'wanted' }, columns: ['id'] })
    some.on('insert', (event) => void rows.push(event.new))
    await some.ready
    const told: string[] = []
    for (const table of ['t', 'bare']) {
      const listener = client.listen({ table, rows: false, operations: ['insert'] })
      listener.on('signal', (event) => void told.push(event.table))
      await listener.ready
    }
    await database.query(`INSERT INTO t VALUES (1, 'other', 'x')`)
    await eventually(() => told.length === 1, 'the signal of a row that nobody else wants')
    await database.query(`INSERT INTO bare VALUES ('x')`)
    await eventually(() => told.length === 2, 'the signal of a table without a key')
    await database.query(`INSERT INTO t VALUES (2, 'wanted', 'x')`)
    await eventually(() => told.length === 3 && rows.length === 1, 'a row and a signal')
    expect([told, rows]).toEqual([['t', 'bare', 't'], [{ id: 2 }]])
  })
})
