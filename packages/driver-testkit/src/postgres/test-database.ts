import type { Row } from '@rowtap/core'
import { RowtapError } from '@rowtap/core/driver'
import { randomBytes } from 'node:crypto'
import type { ClientConfig } from 'pg'
import { Client, escapeIdentifier, escapeLiteral } from 'pg'
import type { PostgresServer } from './postgres-server.ts'

/** How a database is created. */
export interface CreateDatabaseOptions {
  /** The database to copy. It must have no connections. Default: an empty one. */
  readonly template?: TestDatabase | string
}

/** A login role of one database's making. */
export interface TestRole {
  readonly name: string
  readonly password: string
  /** The database's connection string for this role. */
  readonly url: string
}

/** A database for one test. Disposing of it drops it. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string
  /** A superuser's connection string for this database. It holds a password: do not print it. */
  readonly url: string
  readonly server: PostgresServer
  /** Runs a statement as superuser, on a connection that all calls share, and returns its rows. */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** Opens a connection of the caller's own, as superuser by default. It is closed with the database at the latest. */
  connect(config?: ClientConfig): Promise<Client>
  /** The database's connection string for another role. */
  urlFor(role: string, password: string): string
  /** Creates a login role with a name of its own, which is dropped with the database. `attributes`: as in CREATE ROLE, for example `'REPLICATION'`. */
  createRole(attributes?: string): Promise<TestRole>
  /** Closes every connection to the database, and drops it with its replication slots and roles. */
  drop(): Promise<void>
}

/** Creates a database on a server whose superuser's connection string is `server.url`. */
export async function createTestDatabase(
  server: PostgresServer,
  options: CreateDatabaseOptions = {},
): Promise<TestDatabase> {
  const name = `rowtap_test_${randomBytes(6).toString('hex')}`
  const template = typeof options.template === 'object' ? options.template.name : (options.template ?? 'template0')
  // Copying files takes less time, and far less write-ahead log, than the default way of 15 and later.
  const strategy = server.version >= 15 ? 'STRATEGY file_copy' : ''
  await withClient(server.url, (admin) =>
    admin.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)} ${strategy}`),
  )

  const url = new URL(server.url)
  url.pathname = `/${name}`
  const clients = new Set<Client>()
  const roles: TestRole[] = []
  let shared: Promise<Client> | undefined
  let dropped: Promise<void> | undefined

  const database: TestDatabase = {
    name,
    url: url.href,
    server,
    async query(sql, values) {
      shared ??= database.connect()
      const client = await shared
      const result = await client.query<Row>(sql, values === undefined ? undefined : [...values])
      return result.rows
    },
    async connect(config) {
      if (dropped !== undefined)
        throw new RowtapError('ERR_CLOSED', { message: `The test database ${name} was dropped.` })
      const client = new Client({ connectionString: url.href, application_name: 'rowtap-testkit', ...config })
      // A backend that drop() or a test terminates ends its client; whoever awaits a query on it hears of it there.
      client.on('error', () => clients.delete(client))
      client.on('end', () => clients.delete(client))
      await client.connect()
      clients.add(client)
      return client
    },
    urlFor(role, password) {
      const other = new URL(url)
      other.username = encodeURIComponent(role)
      other.password = encodeURIComponent(password)
      return other.href
    },
    async createRole(attributes = '') {
      const role = `rowtap_test_${randomBytes(6).toString('hex')}`
      const password = randomBytes(12).toString('hex')
      await database.query(
        `CREATE ROLE ${escapeIdentifier(role)} LOGIN PASSWORD ${escapeLiteral(password)} ${attributes}`,
      )
      const created = { name: role, password, url: database.urlFor(role, password) }
      roles.push(created)
      return created
    },
    drop() {
      dropped ??= dropDatabase()
      return dropped
    },
    [Symbol.asyncDispose]: () => database.drop(),
  }

  async function dropDatabase(): Promise<void> {
    await Promise.all([...clients].map((client) => client.end()))
    await withClient(server.url, async (admin) => {
      await removeObstacles(admin, database)
      await admin.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`)
      for (const role of roles) await admin.query(`DROP ROLE IF EXISTS ${escapeIdentifier(role.name)}`)
    })
  }

  return database
}

const TERMINATE_SLOT_USERS = `
  SELECT pg_terminate_backend(active_pid, 10000)
  FROM pg_replication_slots
  WHERE database = $1 AND active_pid IS NOT NULL`

const PREPARED_TRANSACTIONS = `SELECT gid FROM pg_prepared_xacts WHERE database = $1`

/** DROP DATABASE … WITH (FORCE) ends sessions, but is refused while a slot is in use or a transaction is prepared. */
async function removeObstacles(admin: Client, database: TestDatabase): Promise<void> {
  await admin.query(TERMINATE_SLOT_USERS, [database.name])
  const prepared = await admin.query<{ gid: string }>(PREPARED_TRANSACTIONS, [database.name])
  if (prepared.rows.length === 0) return
  // ROLLBACK PREPARED works only in the transaction's own database.
  await withClient(database.url, async (client) => {
    for (const { gid } of prepared.rows) await client.query(`ROLLBACK PREPARED ${escapeLiteral(gid)}`)
  })
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'rowtap-testkit' })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
