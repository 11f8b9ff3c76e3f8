import { RowtapError } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { catalogueSnapshot, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

async function queued(database: TestDatabase): Promise<unknown> {
  const [row] = await database.query('SELECT count(*)::int AS n FROM rowtap.queue')
  return row?.['n']
}

describePostgres('what nobody reads', (postgres) => {
  test('is not captured after a close that could not drop the triggers, and the close says what is left', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    const before = await catalogueSnapshot(database)
    const session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const writer = await database.connect()
    const { rows } = await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await writer.query('BEGIN; INSERT INTO t VALUES (1)')
    await session.close()
    const processIds = rows.map(({ pid }) => pid)
    expect(session.notices).toEqual([
      {
        kind: 'wait',
        reason: expect.stringContaining('Waiting for other transactions to finish with public.t'),
        processIds,
      },
      { kind: 'wait', reason: expect.stringContaining('The triggers on public.t could not be dropped'), processIds },
    ])
    await writer.query('COMMIT')
    const left = await queued(database)
    await database.query('INSERT INTO t VALUES (2)')
    await database.query('BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE t SET id = 3; COMMIT')
    expect(await queued(database)).toBe(left)

    // A snapshot that is older than the next client does not hide it.
    await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
    await using next = await openTestSession({ connection: database.url })
    await next.capture('t')
    await writer.query('INSERT INTO t VALUES (4); COMMIT')
    await next.count(1)
    await next.close()
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('is not captured any more some time after a crash', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using crashed = await openTestSession({ connection: database.url, leaseMs: 1000, reconnect: false })
    await crashed.capture('t')
    await database.query(
      `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'rowtap' AND datname = current_database()`,
    )
    await eventually(() => crashed.error() !== null, 'the crash')
    await database.query('INSERT INTO t VALUES (1)')
    expect(await queued(database)).toBe(1)
    // Writers were told of a time, the lease's end and a minute more: it passes.
    const [row] = await database.query(
      `SELECT setval('rowtap.state', last_value - 61 * 8) / 8 < extract(epoch FROM clock_timestamp()) + 1 AS past FROM rowtap.state`,
    )
    expect(row).toEqual({ past: true })
    await eventually(async () => {
      const count = await queued(database)
      await database.query('INSERT INTO t VALUES (1)')
      return (await queued(database)) === count
    }, 'nothing is captured')
  })

  test('for longer than writers wait for it is lost, and whoever comes back hears of it', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query(`UPDATE rowtap.consumer SET lease_until = clock_timestamp() - interval '61 seconds'`)
    await eventually(() => session.error() !== null, 'the error')
    expect(RowtapError.is(session.error(), 'ERR_POSITION_LOST')).toBe(true)
  })
})
