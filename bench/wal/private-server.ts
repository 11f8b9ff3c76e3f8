import type { ChildProcess } from 'node:child_process'
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { startPostgres } from '@rowtap/driver-testkit'
import pg from 'pg'
import type { PostgresPrograms } from './postgres-programs.ts'

const run = promisify(execFile)

/** Nothing here is worth a wait for the disk, and no background work is to fall into one measurement and not another. */
const SETTINGS: Readonly<Record<string, string>> = {
  wal_level: 'logical',
  max_wal_senders: '20',
  max_replication_slots: '20',
  // One of the peers never answers the server.
  wal_sender_timeout: '20min',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  shared_buffers: '256MB',
  max_wal_size: '16GB',
  checkpoint_timeout: '1d',
  unix_socket_directories: '',
  listen_addresses: '127.0.0.1',
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

interface ServerUser {
  readonly uid?: number
  readonly gid?: number
}

/** A server that is there for one benchmark. Disposing of it removes all of it. */
export interface PrivateServer extends AsyncDisposable {
  /** As the server prints it: `15.6`. */
  readonly version: string
  /** A superuser's connection string for a database. */
  urlOf(database: string): string
}

/**
 * Starts a server from these programs, in a directory of its own, on loopback; without them, from the binaries that npm
 * has installed. `changed` are settings in place of ours.
 */
export async function startPrivateServer(
  programs: PostgresPrograms | null,
  changed: Readonly<Record<string, string>> = {},
): Promise<PrivateServer> {
  if (programs === null) return startEmbedded({ ...SETTINGS, ...changed })
  const user = await serverUser()
  const directory = await mkdtemp(join(tmpdir(), 'rowtap-bench-'))
  const password = randomBytes(16).toString('hex')
  const passwordFile = join(directory, 'password')
  const data = join(directory, 'data')
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user.uid !== undefined && user.gid !== undefined) {
    await chown(directory, user.uid, user.gid)
    await chown(passwordFile, user.uid, user.gid)
  }
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8']
  await run(programs.initdb, [...initdb, '--locale=C', '--no-sync'], { ...user, cwd: directory })
  const port = await freePort()
  const settings = Object.entries({ ...SETTINGS, ...changed, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const server = spawn(programs.postgres, ['-D', data, ...settings], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...user,
  })
  const kill = (): void => void server.kill('SIGQUIT')
  // A benchmark that is interrupted leaves nothing behind.
  const clean = (): void => {
    kill()
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
  }
  const interrupt = (): void => process.exit(130)
  process.once('exit', clean)
  for (const signal of SIGNALS) process.once(signal, interrupt)
  await ready(server)
  const urlOf = (database: string): string => `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`
  return {
    version: await versionOf(urlOf('postgres')),
    urlOf,
    async [Symbol.asyncDispose]() {
      process.removeListener('exit', clean)
      for (const signal of SIGNALS) process.removeListener(signal, interrupt)
      kill()
      if (server.exitCode === null) await once(server, 'exit')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function startEmbedded(wanted: Readonly<Record<string, string>>): Promise<PrivateServer> {
  const { unix_socket_directories: _, listen_addresses: __, ...settings } = wanted
  const server = await startPostgres({ sources: ['embedded'], settings })
  const urlOf = (database: string): string => {
    const url = new URL(server.url)
    url.pathname = `/${database}`
    return url.href
  }
  return {
    version: await versionOf(urlOf('postgres')),
    urlOf,
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

/** PostgreSQL refuses to be run by root: then it is run by the user that its package has made. */
async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {}
  const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

async function ready(server: ChildProcess): Promise<void> {
  const log: string[] = []
  const { stderr } = server
  if (stderr === null) return
  await new Promise<void>((resolve, reject) => {
    server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${log.join('\n')}`)))
    // It is read to the end: a server blocks when nobody takes what it writes.
    createInterface(stderr).on('line', (line) => {
      if (line.includes('database system is ready to accept connections')) resolve()
      if (log.length < 20) log.push(line)
    })
  })
}

async function versionOf(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
  await client.end()
  return rows[0]?.server_version ?? 'unknown'
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (typeof address !== 'object' || address === null) throw new Error('There is no free port.')
  return address.port
}
