import { eventually, startPostgres } from '@rowtap/driver-testkit'
import { expect, test } from 'vitest'
import { testHost, testSession, wanted } from '../testing/test-session.ts'

const AHEAD = 'SELECT pg_current_wal_flush_lsn() < pg_current_wal_insert_lsn() AS is_ahead'

test('the stream gets to where a piece was read, although what is in the log by then waits for a commit, and nobody commits', async () => {
  // The server writes its log out every 15 s at the earliest where nobody commits, and this often looks whether it should.
  await using server = await startPostgres({ settings: { bgwriter_delay: '10s' } })
  await using database = await server.createDatabase()
  await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int)')
  await using wal = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
  const { snapshots } = wal.session
  if (snapshots === undefined) throw new Error('the session has no snapshots')
  await wal.session.capture([wanted('t')])
  const table = { schema: 'public', name: 't' }
  const key = await snapshots.keyOf(table, null)
  const writer = await database.connect()
  await writer.query('BEGIN; INSERT INTO other VALUES (1)')
  const request = { table, key, columns: null, after: null, upTo: null, maxRows: 100, maxBytes: 1_000_000 }
  const { until } = await snapshots.read(request)
  expect(await database.query(AHEAD)).toEqual([{ is_ahead: true }])
  await eventually(
    async () => {
      const settled = await snapshots.settled?.()
      return settled !== undefined && settled !== null && settled >= until
    },
    'everything is settled that the piece may have seen',
    { timeoutMs: 10_000 },
  )
})
