import { eventually, startPostgres } from '@rowtap/driver-testkit'
import { expect, test } from 'vitest'
import { testSession, wanted } from '../testing/test-session.ts'

const COMMITTING = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
const TABLE = { schema: 'public', name: 't' }

test('a piece is read when everything can be seen that was delivered, and no other writer is waited for', async () => {
  await using server = await startPostgres({
    settings: { synchronous_standby_names: 'nobody', synchronous_commit: 'local' },
  })
  await using database = await server.createDatabase()
  await database.query('CREATE TABLE t (id int PRIMARY KEY)')
  await using wal = await testSession({ connection: database.url })
  const { snapshots } = wal.session
  if (snapshots === undefined) throw new Error('the session has no snapshots')
  await wal.session.capture([wanted('t')])
  const key = await snapshots.keyOf(TABLE, null)
  const request = { table: TABLE, key, columns: null, after: null, upTo: null, maxRows: 100, maxBytes: 1_000_000 }
  const read = async (): Promise<readonly unknown[]> => (await snapshots.read(request)).rows.map((row) => row.text(0))

  // One that has written, and is at work.
  const busy = await database.connect()
  const [own] = (await busy.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows
  await busy.query('BEGIN; INSERT INTO t VALUES (1)')
  const working = busy.query('DO $$BEGIN LOOP PERFORM 1; END LOOP; END$$').catch((error: unknown) => error)
  expect(await read()).toEqual([])
  expect(wal.host.notices).toEqual([])

  // One whose commit waits for a standby, and is delivered.
  const writer = await database.connect()
  await writer.query('SET synchronous_commit = on')
  const committed = writer.query('INSERT INTO t VALUES (2)')
  await wal.count(1)
  let rows: readonly unknown[] | null = null
  const reading = read().then((found) => (rows = found))
  await eventually(() => rows !== null || wal.host.notices.length > 0, 'rows, or a notice of what is waited for')
  const [process] = await database.query(COMMITTING)
  expect(rows).toBeNull()
  expect(wal.host.notices).toMatchObject([{ kind: 'wait', processIds: [process?.['pid']] }])
  await database.query('SELECT pg_cancel_backend($1)', [process?.['pid']])
  await committed
  expect(await reading).toEqual(['2'])
  await database.query('SELECT pg_terminate_backend($1)', [own?.pid])
  await working
})
