import { inspect } from 'node:util'
import { RowtapError } from '@rowtap/core/driver'
import { eventually, startPostgres } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { describe, expect, test } from 'vitest'
import { ReplicationConnection } from '../replication/replication-connection.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

const LEFTOVERS = `
  SELECT pubname AS name FROM pg_publication
  UNION ALL SELECT slot_name FROM pg_replication_slots WHERE database = current_database() ORDER BY 1`

/** Opens a session that must not open. */
async function refusal(connection: string): Promise<RowtapError> {
  try {
    const session = await walDriver({ connection }).open(testHost())
    await session.close()
  } catch (error) {
    if (RowtapError.is(error)) return error
    throw error
  }
  throw new Error('The session was opened.')
}

describePostgres('open', (postgres) => {
  test('says what is wrong with the address, the user and the database, and never the password', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    const wrong = database.urlFor(role.name, 'wrong-password')
    const unreachable = new URL(role.url)
    unreachable.port = '1'
    const missing = new URL(role.url)
    missing.pathname = '/no_such_database'
    const noPassword = new URL(role.url)
    noPassword.password = ''
    const errors = await Promise.all([wrong, unreachable.href, missing.href].map(refusal))
    expect(errors).toMatchObject([
      { code: 'ERR_AUTHENTICATION_FAILED', retryable: false, message: expect.stringContaining(role.name) },
      { code: 'ERR_CONNECTION_FAILED', retryable: true, message: expect.stringMatching(/:1 .*ECONNREFUSED/) },
      {
        code: 'ERR_CONNECTION_FAILED',
        retryable: false,
        message: expect.stringContaining('no database "no_such_database"'),
      },
    ])
    for (const error of errors) {
      expect(error.message).not.toContain(role.password)
      expect(error.message).not.toContain('wrong-password')
    }
    expect(await database.query(LEFTOVERS)).toEqual([])
  })

  test('says which privilege is missing, with the statement that grants it, before anything is made', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    const name = `"${role.name}"`
    expect(await refusal(role.url)).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining(`GRANT CREATE ON DATABASE "${database.name}" TO ${name}`),
    })
    await database.query(`GRANT CREATE ON DATABASE "${database.name}" TO ${name}`)
    expect(await refusal(role.url)).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining(`ALTER ROLE ${name} REPLICATION`),
    })
    expect(await database.query(LEFTOVERS)).toEqual([])
    await database.query(`ALTER ROLE ${name} REPLICATION`)
    await using wal = await testSession({ connection: role.url })
    await wal.session.capture([])
  })

  test('tells which transaction the slot waits for, and leaves nothing when the caller gives up', async () => {
    await using database = await postgres.createDatabase()
    const writer = await database.connect()
    await writer.query('CREATE TABLE t (id int); BEGIN; INSERT INTO t VALUES (1)')
    const pid = await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const host = testHost()
    const opening = walDriver({ connection: database.url }).open(host)
    const outcome = opening.catch((error: unknown) => error)
    const tells = (): boolean =>
      host.notices.some((notice) => notice.kind === 'wait' && notice.processIds.includes(pid.rows[0]?.pid ?? 0))
    await eventually(tells, 'a notice with the process')
    host.abort()
    expect(await outcome).toMatchObject({ code: 'ERR_ABORTED' })
    await eventually(async () => (await database.query(LEFTOVERS)).length === 0, 'everything is removed')
    await writer.query('ROLLBACK')
  })

  test('removes what a crashed client left, and nothing that is in use', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await database.query(
      `CREATE PUBLICATION rowtap_e_00000000deadbeef_all; CREATE PUBLICATION rowtap_e_00000000deadbeef_inserts FOR TABLE t`,
    )
    await database.query(`CREATE PUBLICATION rowtap_mine`)
    await using one = await testSession({ connection: database.url })
    await one.session.capture([wanted('t')])
    await using two = await testSession({ connection: database.url })
    await two.session.capture([wanted('t')])
    const names = (await database.query(LEFTOVERS)).map((row) => String(row['name']))
    expect(names.filter((name) => name.includes('deadbeef'))).toEqual([])
    expect(names.filter((name) => name.startsWith('rowtap_e_'))).toHaveLength(6)
    await database.query('INSERT INTO t VALUES (1)')
    await Promise.all([one.count(1), two.count(1)])
    await one.session.close()
    await two.session.close()
    expect(await database.query(LEFTOVERS)).toEqual([{ name: 'rowtap_mine' }])
  })

  test('after the server ended its processes, what is left goes at the next start', async () => {
    await using database = await postgres.createDatabase()
    await using crashed = await testSession({ connection: database.url, reconnect: false })
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    await expect(crashed.reading).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST', retryable: true })
    await crashed.session.close()
    // A process that was told to end removes its temporary slot in its own time.
    const publications = async (): Promise<boolean> => (await database.query(LEFTOVERS)).length === 2
    await eventually(publications, 'the two publications alone are left')
    await using next = await testSession({ connection: database.url })
    await next.session.close()
    expect(await database.query(LEFTOVERS)).toEqual([])
  })
})

describe('open', () => {
  test('says that wal_level is not logical, and how to set it', { timeout: 60_000 }, async () => {
    await using server = await startPostgres({ settings: { wal_level: 'replica' } })
    expect(await refusal(server.url)).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining(`ALTER SYSTEM SET wal_level = 'logical'`),
    })
  })

  test('says that no slot, or no replication connection, is free', { timeout: 60_000 }, async () => {
    await using server = await startPostgres({ settings: { max_replication_slots: 1, max_wal_senders: 2 } })
    await using one = await testSession({ connection: server.url })
    expect(await refusal(server.url)).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('max_replication_slots'),
    })
    const other = new ReplicationConnection({ connectionString: server.url })
    await other.connect()
    expect(await refusal(server.url)).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('max_wal_senders'),
    })
    await other.stop(null)
    await one.session.capture([])
  })

  test.each(['postgres://me:se#cret@127.0.0.1:port/shop', 'postgres://me:secret%E0%A4@127.0.0.1/shop'])(
    'refuses a connection string that cannot be read, and does not repeat it: %s',
    async (connection) => {
      const error = await refusal(connection)
      expect(error).toMatchObject({ code: 'ERR_INVALID_OPTIONS', message: expect.stringContaining('postgres://') })
      expect(inspect(error)).not.toContain('cret')
    },
  )

  test('names the file of a connection string that is not there', async () => {
    expect(await refusal('postgres://me@127.0.0.1/shop?sslrootcert=/no/such/file')).toMatchObject({
      code: 'ERR_INVALID_OPTIONS',
      message: expect.stringContaining('/no/such/file'),
    })
  })

  test('a client that is told to give up before it connects does not', async () => {
    const host = testHost()
    host.abort()
    await expect(walDriver({ connection: 'postgres://nobody@127.0.0.1:1/none' }).open(host)).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
  })
})
