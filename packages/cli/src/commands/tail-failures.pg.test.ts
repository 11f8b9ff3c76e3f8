import type { PostgresServer } from '@rowtap/driver-testkit'
import { startPostgres } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { DRIVER_NAMES } from '../drivers/known-drivers.ts'
import type { RowtapResult } from '../testing/rowtap-process.ts'
import { RowtapProcess, runRowtap } from '../testing/rowtap-process.ts'

/** Asserts: exit code 1, nothing on standard output, one line on standard error with this code and what helps. */
function expectFailure(result: RowtapResult, code: string, ...helps: readonly (string | RegExp)[]): void {
  expect(result).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringMatching(new RegExp(`^rowtap: ${code}: [^\\n]+\\n$`)),
  })
  for (const help of helps) expect(result.stderr).toMatch(help)
}

function withPassword(url: string, password: string): string {
  const changed = new URL(url)
  changed.password = password
  return changed.href
}

describePostgres('what goes wrong with rowtap tail', (postgres) => {
  describe.each(DRIVER_NAMES)('--driver %s', (driver) => {
    const tail = (url: string, ...flags: readonly string[]): Promise<RowtapResult> => {
      return runRowtap(['tail', '--url', url, '--driver', driver, ...flags])
    }

    test('an unknown table', async () => {
      await using database = await postgres.createDatabase()
      expectFailure(await tail(database.url, '--table', 'nope'), 'ERR_SETUP_REQUIRED', /public\.nope/)
    })

    test('an unknown column', async () => {
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE orders (id integer PRIMARY KEY)`)
      const result = await tail(database.url, '--table', 'orders', '--columns', 'id,nope')
      expectFailure(result, 'ERR_[A-Z_]+', /nope/, /orders/)
    })

    test('an unknown database', async () => {
      await using database = await postgres.createDatabase()
      const url = new URL(database.url)
      url.pathname = '/there_is_no_such_database'
      expectFailure(await tail(url.href, '--table', 'orders'), 'ERR_CONNECTION_FAILED', /there_is_no_such_database/)
    })

    test('a wrong password, which is not repeated', async () => {
      await using database = await postgres.createDatabase()
      const { url } = await database.createRole()
      const result = await tail(withPassword(url, 's3cr3t-and-wrong'), '--table', 'orders')
      expectFailure(result, 'ERR_AUTHENTICATION_FAILED')
      expect(result.stderr).not.toContain('s3cr3t')
    })

    test('no server', async () => {
      const result = await tail('postgresql://ada:s3cr3t@127.0.0.1:1/shop', '--table', 'orders')
      expectFailure(result, 'ERR_CONNECTION_FAILED', /127\.0\.0\.1/)
      expect(result.stderr).not.toContain('s3cr3t')
    })

    test('a missing privilege', async () => {
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE orders (id integer PRIMARY KEY)`)
      const role = await database.createRole()
      expectFailure(await tail(role.url, '--table', 'orders'), 'ERR_SETUP_REQUIRED', /(ALTER ROLE|GRANT) /)
    })

    test('old rows that are not known: the way out is named in the command’s own words', async (context) => {
      context.skip(driver !== 'wal', 'old rows are always known to driver-trigger')
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE orders (id integer PRIMARY KEY, status integer)`)
      const flags = ['--table', 'orders', '--where', 'status > 1']
      const { exitCode, stdout, stderr } = await tail(database.url, ...flags)
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr).toMatch(
        /^rowtap: ERR_SETUP_REQUIRED: [^\n]+\nOn the command line: --transitions idempotent, or --on insert,truncate\n$/,
      )
      expect((await tail(database.url, ...flags, '--transitions', 'idempotent', '--plan')).exitCode).toBe(0)
      expect((await tail(database.url, ...flags, '--on', 'insert,truncate', '--plan')).exitCode).toBe(0)
    })

    test('values that an update may come without: the way out that is named is one', async (context) => {
      context.skip(driver !== 'wal', 'old rows are always known to driver-trigger')
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE orders (id integer PRIMARY KEY, note text)`)
      const flags = ['--table', 'orders', '--where', `note = 'x'`, '--plan']
      const ways = [
        { asked: [], named: '--on insert,truncate' },
        { asked: ['--transitions', 'idempotent'], named: '--on insert,delete,truncate' },
      ]
      for (const { asked, named } of ways) {
        expect((await tail(database.url, ...flags, ...asked)).stderr).toMatch(
          new RegExp(`^rowtap: ERR_SETUP_REQUIRED: [^\\n]+\\nOn the command line: ${named}\\n$`),
        )
        expect((await tail(database.url, ...flags, ...asked, ...named.split(' '))).exitCode).toBe(0)
      }
    })

    test('a server that goes away', async () => {
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE orders (id integer PRIMARY KEY)`)
      await using rowtap = new RowtapProcess(['tail', '--url', database.url, '--driver', driver, '--table', 'orders'])
      await rowtap.ready()
      await database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
      // It connects again by itself; what was missed meanwhile, where that can be, is said.
      await rowtap.message(driver === 'wal' ? /^reconnect: [^\n]+\n(?:.*\n)*gap: [^\n]+$/m : /^reconnect: [^\n]+$/m)
      await database.query('INSERT INTO orders VALUES (1)')
      await rowtap.linesUntil((line) => line.includes('insert'))
      rowtap.kill('SIGINT')
      expect((await rowtap.ended).exitCode).toBe(0)
    })

    test('a column of --columns that is renamed', async () => {
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE orders (id integer PRIMARY KEY, total integer)`)
      const flags = ['--table', 'orders', '--columns', 'id,total', '--transitions', 'idempotent']
      await using rowtap = new RowtapProcess(['tail', '--url', database.url, '--driver', driver, ...flags])
      await rowtap.ready()
      await database.query('ALTER TABLE orders RENAME COLUMN total TO totals; INSERT INTO orders VALUES (1, 2)')
      const { exitCode, stderr } = await rowtap.ended
      expect(exitCode).toBe(1)
      expect(stderr).toMatch(
        /^rowtap: ERR_SETUP_REQUIRED: [^\n]*"total"[^\n]*"totals"[^\n]*\nOn the command line: the same again with other --columns$/m,
      )
    })

    test('an interruption while it waits for something is none', async () => {
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE orders (id integer PRIMARY KEY)`)
      const writer = await database.connect()
      await writer.query('BEGIN')
      await writer.query('INSERT INTO orders VALUES (1)')
      await using rowtap = new RowtapProcess(['tail', '--url', database.url, '--driver', driver, '--table', 'orders'])
      await rowtap.message(/^wait: /m)
      rowtap.kill('SIGINT')
      const { exitCode, stdout } = await rowtap.ended
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' })
      await writer.query('ROLLBACK')
    })
  })
})

describe('a server with wal_level=replica', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ sources: ['embedded'], settings: { wal_level: 'replica' } })
  })
  afterAll(() => server.stop())

  test('is refused by the driver wal with the statement that helps', async () => {
    await using database = await server.createDatabase()
    await database.query(`CREATE TABLE orders (id integer PRIMARY KEY)`)
    const result = await runRowtap(['tail', '--url', database.url, '--table', 'orders'])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(
      /^rowtap: ERR_SETUP_REQUIRED: [^\n]*wal_level[^\n]*ALTER SYSTEM SET wal_level = 'logical'[^\n]*\nOn the command line: --driver trigger, which works with any\n$/,
    )
  })

  test('is enough for the driver trigger', async () => {
    await using database = await server.createDatabase()
    await database.query(`CREATE TABLE orders (id integer PRIMARY KEY)`)
    const parameters = ['tail', '--url', database.url, '--driver', 'trigger', '--table', 'orders', '--limit', '1']
    await using rowtap = new RowtapProcess(parameters)
    await rowtap.ready()
    await database.query(`INSERT INTO orders VALUES (1)`)
    expect((await rowtap.ended).exitCode).toBe(0)
  })
})
