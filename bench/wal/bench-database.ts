import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { PrivateServer } from './private-server.ts'

/** A database for one measurement. Disposing of it drops it, and its slots. */
export interface BenchDatabase extends AsyncDisposable {
  readonly url: string
  query(sql: string, values?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>
}

/** Makes an empty database. */
export async function createDatabase(server: PrivateServer): Promise<BenchDatabase> {
  const name = `bench_${randomBytes(4).toString('hex')}`
  const admin = await connected(server.urlOf('postgres'))
  await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE template0`)
  const client = await connected(server.urlOf(name))
  return {
    url: server.urlOf(name),
    query: async (sql, values) => (await client.query<Record<string, unknown>>(sql, values && [...values])).rows,
    async [Symbol.asyncDispose]() {
      await client.end()
      await admin.query(
        `SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots WHERE database = $1 AND active_pid IS NOT NULL`,
        [name],
      )
      await admin.query(`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1`, [
        name,
      ])
      await admin.query(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`)
      await admin.query('CHECKPOINT')
      await admin.end()
    },
  }
}

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  return client
}
