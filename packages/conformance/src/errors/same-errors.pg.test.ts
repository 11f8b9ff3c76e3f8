import type { TestDatabase } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import type { Server } from 'node:net'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import type { GivenConnection } from './failures-of.ts'
import { failuresOf } from './failures-of.ts'

/** Asserts that both drivers fail alike: with this code, this `retryable` and this message. */
async function expectSame(
  connection: GivenConnection,
  expected: { readonly code: string; readonly retryable: boolean; readonly message: string | RegExp },
  table?: string,
): Promise<void> {
  const { wal, trigger } = await failuresOf(connection, table)
  expect(trigger).toEqual(wal)
  const message: unknown =
    typeof expected.message === 'string' ? expected.message : expect.stringMatching(expected.message)
  expect(wal).toEqual({ ...expected, message })
}

function changed(url: string, change: (url: URL) => void): string {
  const other = new URL(url)
  change(other)
  return other.href
}

function addressOf({ url }: TestDatabase): string {
  return new URL(url).host
}

/** A server that takes connections and says nothing. */
async function silentServer(): Promise<{ readonly server: Server; readonly address: string } & AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    // The end of the other side is seen by whoever reads.
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    server,
    address: `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

describePostgres('both drivers word alike', (postgres) => {
  test('an unknown table, with the name that was meant and without', async () => {
    await using database = await postgres.createDatabase()
    const expected = { code: 'ERR_SETUP_REQUIRED', retryable: false }
    const where = `in database "${database.name}"`
    await expectSame(
      database.url,
      { ...expected, message: `There is no table public.orders ${where}. Create it, or correct the name.` },
      'orders',
    )
    await database.query('CREATE TABLE order_s (id int PRIMARY KEY)')
    await expectSame(
      database.url,
      { ...expected, message: `There is no table public.orders ${where}. Did you mean public.order_s?` },
      'orders',
    )
  })

  test('a wrong password, and a role that is not there', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    for (const user of [role.name, 'no_such_role']) {
      await expectSame(database.urlFor(user, 's3cret'), {
        code: 'ERR_AUTHENTICATION_FAILED',
        retryable: false,
        message: `The server at ${addressOf(database)} refused user "${user}" (password authentication failed for user "${user}"): correct the user or the password in the connection string.`,
      })
    }
  })

  test('no password at all', async () => {
    await using database = await postgres.createDatabase()
    await expectSame(
      changed(database.url, (url) => (url.password = '')),
      {
        code: 'ERR_AUTHENTICATION_FAILED',
        retryable: false,
        message: /^The server at .* asks user .* for a password, and no password was given: /u,
      },
    )
  })

  test('a missing database', async () => {
    await using database = await postgres.createDatabase()
    await expectSame(
      changed(database.url, (url) => (url.pathname = '/Not There')),
      {
        code: 'ERR_CONNECTION_FAILED',
        retryable: false,
        message: `The server at ${addressOf(database)} has no database "Not There": correct the connection string, or run CREATE DATABASE "Not There".`,
      },
    )
  })

  test('a host that is not there, a port that nobody listens on, and a server that says nothing', async () => {
    await using silent = await silentServer()
    const expected = { code: 'ERR_CONNECTION_FAILED', retryable: true }
    const advice = 'check the host and the port, and that the server runs\\.$'
    await expectSame('postgresql://ada:s3cret@nowhere.invalid:5432/shop', {
      ...expected,
      message: new RegExp(`^No connection to PostgreSQL at nowhere\\.invalid:5432 \\(getaddrinfo .*\\): ${advice}`),
    })
    await expectSame('postgresql://ada:s3cret@127.0.0.1:1/shop', {
      ...expected,
      message: new RegExp(`^No connection to PostgreSQL at 127\\.0\\.0\\.1:1 \\(connect ECONNREFUSED .*\\): ${advice}`),
    })
    await expectSame(
      { connectionString: `postgresql://ada:s3cret@${silent.address}/shop`, connectionTimeoutMillis: 100 },
      { ...expected, message: new RegExp(`^No connection to PostgreSQL at ${silent.address} \\(.*\\): ${advice}`) },
    )
  })

  test('too many connections', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole('CONNECTION LIMIT 0')
    await expectSame(role.url, {
      code: 'ERR_CONNECTION_FAILED',
      retryable: true,
      message: `The server at ${addressOf(database)} has no connection free (too many connections for role "${role.name}"): close idle ones, or raise the limit (max_connections, or CONNECTION LIMIT of the role or database).`,
    })
  })

  test('a database that the role may not connect to, and one that takes no connections', async () => {
    await using database = await postgres.createDatabase()
    await using shut = await postgres.createDatabase()
    const role = await database.createRole()
    await database.query(`REVOKE CONNECT ON DATABASE ${database.name} FROM PUBLIC`)
    await expectSame(role.url, {
      code: 'ERR_SETUP_REQUIRED',
      retryable: false,
      message: `Role "${role.name}" may not connect to database "${database.name}". Run: GRANT CONNECT ON DATABASE "${database.name}" TO "${role.name}"`,
    })
    await database.query(`ALTER DATABASE ${shut.name} ALLOW_CONNECTIONS false`)
    await expectSame(shut.url, {
      code: 'ERR_CONNECTION_FAILED',
      retryable: true,
      message: `Database "${shut.name}" at ${addressOf(shut)} takes no connections (database "${shut.name}" is not currently accepting connections): try again when it does, or run ALTER DATABASE "${shut.name}" ALLOW_CONNECTIONS true.`,
    })
  })

  test('a server without TLS, when TLS is asked for', async () => {
    await using database = await postgres.createDatabase()
    await expectSame(
      changed(database.url, (url) => url.searchParams.set('sslmode', 'verify-full')),
      {
        code: 'ERR_CONNECTION_FAILED',
        retryable: false,
        message: `The server at ${addressOf(database)} does not speak TLS, which the connection asks for: set sslmode=disable in the connection string, or ssl = on in the server’s configuration.`,
      },
    )
  })

  test('a connection string that is none, but for the name of the function that it was given to', async () => {
    const { wal, trigger } = await failuresOf('postgresql://ada:s3cret@host:port:/shop')
    expect(wal.message).not.toContain('s3cret')
    expect({ ...trigger, message: trigger.message.replace('triggerDriver', 'walDriver') }).toEqual(wal)
    expect(wal).toMatchObject({ code: 'ERR_INVALID_OPTIONS', retryable: false })
  })

  test('a missing privilege, but for what it is', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE orders (id int PRIMARY KEY)')
    const role = await database.createRole('REPLICATION')
    const lacks = new RegExp(`^Role "${role.name}" may not [^.]* .*\\. Run: GRANT .* TO "${role.name}";?$`)
    const expected = { code: 'ERR_SETUP_REQUIRED', retryable: false, message: expect.stringMatching(lacks) }
    expect(await failuresOf(role.url, 'orders')).toEqual({ wal: expected, trigger: expected })
    await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${role.name}`)
    const { wal } = await failuresOf(role.url, 'orders')
    expect(wal).toMatchObject({ code: 'ERR_SETUP_REQUIRED', message: expect.stringMatching(/^Role "/) })
  })
})
