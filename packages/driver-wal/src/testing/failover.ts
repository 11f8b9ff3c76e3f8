import type { PostgresServer, PostgresVersion, TcpProxy } from '@rowtap/driver-testkit'
import { eventually, startPostgres, tcpProxy } from '@rowtap/driver-testkit'
import type { QueryResultRow } from 'pg'
import pg from 'pg'

/** A primary with a standby, and one address that leads to whichever is the primary. */
export interface Failover extends AsyncDisposable {
  /** The address of the database, with a table `t (id int PRIMARY KEY)` in it. */
  readonly url: string
  readonly primary: PostgresServer
  readonly standby: PostgresServer
  /** Runs a statement on the primary, until the standby is promoted; from then on on that one. */
  query<R extends QueryResultRow>(sql: string): Promise<readonly R[]>
  /** Runs a statement on the standby. */
  queryStandby<R extends QueryResultRow>(sql: string): Promise<readonly R[]>
  /** Resolves when the standby has everything that is committed. */
  caughtUp(): Promise<void>
  /** Resolves when the standby has a copy of the one slot that is made for that, with everything acknowledged up to now. */
  slotCopied(): Promise<void>
  /** From now on the standby does not hear of anything that is written. */
  leaveBehind(): Promise<void>
  /** Ends the primary, makes the standby the primary, and does something there before the address leads to it. */
  promote(meanwhile?: () => Promise<unknown>): Promise<void>
}

/** Starts both. */
export async function failover(version: PostgresVersion): Promise<Failover> {
  const stack = new AsyncDisposableStack()
  const primary = stack.use(await startPostgres({ version, sources: ['embedded'] }))
  const first = await clientOf(stack, primary.url)
  await first.query(`SELECT pg_create_physical_replication_slot('standby', true); CREATE TABLE t (id int PRIMARY KEY)`)
  const settings = { primary_slot_name: 'standby', hot_standby_feedback: 'on' }
  const standby = stack.use(await startPostgres({ standbyOf: primary, settings }))
  const second = await clientOf(stack, standby.url)
  const proxy: TcpProxy = stack.use(await tcpProxy(primary.url))
  let current = first
  const ask = async <R extends QueryResultRow>(client: pg.Client, sql: string): Promise<readonly R[]> =>
    (await client.query<R>(sql)).rows
  return {
    url: proxy.url,
    primary,
    standby,
    query: (sql) => ask(current, sql),
    queryStandby: (sql) => ask(second, sql),
    async caughtUp() {
      const [row] = await ask<{ place: string }>(first, 'SELECT pg_current_wal_lsn()::text AS place')
      const seen = `SELECT pg_last_wal_replay_lsn() >= '${row?.place}'::pg_lsn AS seen`
      await eventually(async () => (await ask<{ seen: boolean }>(second, seen))[0]?.seen === true, 'the standby has it')
    },
    async slotCopied() {
      const [row] = await ask<{ place: string }>(first, 'SELECT pg_current_wal_lsn()::text AS place')
      const copied = `
        SELECT FROM pg_replication_slots
        WHERE synced AND NOT temporary AND confirmed_flush_lsn >= '${row?.place}'::pg_lsn`
      await eventually(async () => {
        // A copy begins where a running transaction of the primary was logged last.
        await first.query('SELECT pg_log_standby_snapshot()')
        await second.query('SELECT pg_sync_replication_slots()')
        return (await ask(second, copied)).length === 1
      }, 'the slot is copied')
    },
    async leaveBehind() {
      await second.query(`ALTER SYSTEM SET primary_conninfo = ''`)
      await second.query('SELECT pg_reload_conf()')
      const receiver = 'SELECT FROM pg_stat_wal_receiver'
      await eventually(async () => (await ask(second, receiver)).length === 0, 'the standby receives nothing')
    },
    async promote(meanwhile) {
      await primary.stop('immediate')
      await second.query('SELECT pg_promote()')
      current = second
      await meanwhile?.()
      proxy.leadTo(standby.url)
      proxy.cut()
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function clientOf(stack: AsyncDisposableStack, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  // A server that is ended takes its connections with it.
  client.on('error', () => undefined)
  await client.connect()
  stack.defer(() => client.end())
  return client
}
