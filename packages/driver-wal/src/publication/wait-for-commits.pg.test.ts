import type { PostgresServer, PostgresVersion } from '@rowtap/driver-testkit'
import { eventually, startPostgres } from '@rowtap/driver-testkit'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { testSession, wanted } from '../testing/test-session.ts'

const COMMITTING = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
const SENT = `SELECT bool_and(sent_lsn >= $1::pg_lsn) AS sent FROM pg_stat_replication`

async function alterSystem(server: PostgresServer, what: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query(`ALTER SYSTEM ${what}`)
  await client.end()
}

describe('where commits wait for a standby', () => {
  test.each([
    ['a commit', 'COMMIT', 'BEGIN; INSERT INTO t VALUES (1)', 'being committed.'],
    [
      'the commit of a prepared transaction',
      `COMMIT PREPARED 'one'`,
      `BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'one'`,
      'being committed.',
    ],
    ['a commit that this role cannot see', 'COMMIT', 'BEGIN; INSERT INTO t VALUES (1)', 'GRANT pg_read_all_stats'],
  ])(
    'capture waits for %s, and hands out nothing meanwhile',
    { timeout: 60_000 },
    async (_, commit, before, reason) => {
      await using server = await startPostgres({
        settings: { synchronous_standby_names: 'nobody', synchronous_commit: 'local', max_prepared_transactions: 5 },
      })
      await using database = await server.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      const role = await database.createRole('REPLICATION')
      await database.query(
        `ALTER TABLE t OWNER TO "${role.name}"; GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}"`,
      )
      await using wal = await testSession({ connection: reason.includes('GRANT') ? role.url : database.url })
      await using witness = await testSession({ connection: database.url })
      await wal.session.capture([wanted('t')])
      await witness.session.capture([wanted('t')])
      const writer = await database.connect()
      await writer.query(before)
      await writer.query('SET synchronous_commit = on')
      const committed = writer.query(commit)
      let pid = 0
      await eventually(async () => {
        pid = Number((await database.query(COMMITTING))[0]?.['pid'] ?? 0)
        return pid !== 0
      }, 'the commit that waits')

      let live: { readonly position: string; readonly delivered: number } | null = null
      const capturing = wal.session.capture([wanted('t')]).then((position) => {
        live = { position, delivered: wal.changes.length }
        return live
      })
      await eventually(() => live !== null || wal.host.notices.length > 0, 'ready, or a notice of what it waits for')
      expect(live).toBeNull()
      expect(wal.host.notices).toEqual([{ kind: 'wait', reason: expect.stringContaining(reason), processIds: [pid] }])
      await database.query('INSERT INTO t VALUES (2)')
      await witness.count(2)
      const [place] = await database.query('SELECT pg_current_wal_flush_lsn() AS place')
      await eventually(
        async () => (await database.query(SENT, [place?.['place']]))[0]?.['sent'] === true,
        'everything is sent to both sessions',
      )
      expect(wal.changes.map((change) => change.new)).not.toContainEqual(['2'])

      await database.query('SELECT pg_cancel_backend($1)', [pid])
      await committed
      const { position, delivered } = await capturing
      expect(wal.changes.slice(0, delivered).filter((change) => change.position > position)).toEqual([])
      await wal.count(2)
      expect(wal.changes.filter((change) => change.position > position).map((change) => change.new)).toEqual([['2']])
    },
  )

  test.each<PostgresVersion>([14, 18])(
    'capture waits also where nothing says that a transaction is being committed (PostgreSQL %i)',
    { timeout: 60_000 },
    async (version) => {
      await using server = await startPostgres({
        version,
        sources: ['embedded'],
        settings: { synchronous_commit: 'local' },
      })
      // What it is started with could not be changed while it runs.
      await alterSystem(server, `SET synchronous_standby_names = 'nobody'`)
      await server.restart()
      await using database = await server.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      const role = await database.createRole('REPLICATION')
      await database.query(
        `ALTER TABLE t OWNER TO "${role.name}"; GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}"`,
      )
      await using wal = await testSession({ connection: role.url })
      await wal.session.capture([wanted('t')])
      const checkpointer = `SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'`
      const [{ pid } = {}] = await database.query(checkpointer)
      // It is the one that ends the waiting for standbys when none are named any more.
      process.kill(Number(pid), 'SIGSTOP')
      try {
        const writer = await database.connect()
        await writer.query('SET synchronous_commit = on')
        const committed = writer.query('INSERT INTO t VALUES (1)')
        await eventually(async () => (await database.query(COMMITTING)).length === 1, 'the commit that waits')
        await alterSystem(server, 'RESET synchronous_standby_names')
        await database.query('SELECT pg_reload_conf()')
        const reader = await database.connect({ connectionString: role.url })
        const isReloaded = async (): Promise<boolean> => {
          const { rows } = await reader.query<{ names: string }>(
            `SELECT current_setting('synchronous_standby_names') AS names`,
          )
          return rows[0]?.names === ''
        }
        await eventually(isReloaded, 'nobody is named any more')
        let isLive = false
        const capturing = wal.session.capture([wanted('t')]).then(async (position) => {
          isLive = true
          const { rows } = await reader.query('SELECT id FROM t')
          return { position, rows }
        })
        const isTold = (): boolean =>
          wal.host.notices.some(
            ({ kind, ...rest }) => kind === 'wait' && JSON.stringify(rest).includes('were delivered'),
          )
        await eventually(() => isLive || isTold(), 'ready, or a notice of what it waits for')
        expect(isLive).toBe(false)
        process.kill(Number(pid), 'SIGCONT')
        await committed
        const { position, rows } = await capturing
        const [change] = await wal.count(1)
        expect(change !== undefined && change.position <= position).toBe(true)
        expect(rows).toEqual([{ id: 1 }])
      } finally {
        process.kill(Number(pid), 'SIGCONT')
      }
    },
  )
})
