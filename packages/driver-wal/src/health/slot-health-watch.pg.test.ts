import { connect } from '@rowtap/core'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { clientConfig } from '../connection/client-config.ts'
import { ControlConnection } from '../connection/control-connection.ts'
import { walDriver } from '../wal-driver.ts'
import { SlotHealthWatch } from './slot-health-watch.ts'

const CREATE = `SELECT slot_name FROM pg_create_logical_replication_slot('watched_' || md5(current_database()), 'pgoutput')`
const DROP = `SELECT pg_drop_replication_slot('watched_' || md5(current_database()))`

describePostgres('the health of a slot', (postgres) => {
  test('is part of a client’s metrics', async () => {
    await using database = await postgres.createDatabase()
    await using client = await connect(walDriver({ connection: database.url }))
    await eventually(() => client.metrics().source !== null, 'the first look')
    expect(client.metrics().source).toEqual({
      takenAt: expect.any(Date),
      state: 'reserved',
      lagBytes: expect.any(Number),
      lagSeconds: expect.any(Number),
      retainedBytes: expect.any(Number),
      safeBytes: null,
    })
  })

  test('is watched over one connection after another, and what is known of the log stays known', async () => {
    await using database = await postgres.createDatabase()
    const [row] = await database.query(CREATE)
    const first = await connected(database.url)
    const parts = { query: first.query, slot: String(row?.['slot_name']), everyMs: 20 }
    const watch = new SlotHealthWatch(parts)
    await eventually(() => watch.last !== null, 'the first look')
    const firstLook = watch.last?.takenAt.getTime() ?? 0
    await first.end()
    await database.query(`SELECT pg_logical_emit_message(true, 'noise', 'x')`)
    const second = await connected(database.url)
    parts.query = second.query
    await eventually(
      () => (watch.last?.lagSeconds ?? 0) > 0.2,
      'a lag that has grown since before the connection was lost',
    )
    expect(watch.last?.takenAt.getTime()).toBeGreaterThan(firstLook)
    watch.stop()
    await second.end()
    await database.query(DROP)
  })
})

async function connected(url: string): Promise<Pick<ControlConnection, 'query' | 'end'>> {
  const control = new ControlConnection(clientConfig(url))
  await control.connect()
  return { query: (text, values) => control.query(text, values), end: () => control.end() }
}
