import { RowtapError } from '@rowtap/core/driver'
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Interface } from 'node:readline'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { embeddedBinaries } from './embedded-binaries.ts'
import type { KeeperAnswer, KeeperCommand, KeeperRequest, PrimaryServer } from './keeper/protocol.ts'
import { SUPERUSER } from './keeper/protocol.ts'
import type { PostgresServer, StartPostgresOptions } from './postgres-server.ts'
import type { ServerHandle } from './server-handle.ts'
import { SERVER_SETTINGS } from './server-settings.ts'

type Keeper = ChildProcessByStdio<Writable, Readable, Readable>

/** Starts a server from the binaries that npm installed, in a temporary directory that goes with it. */
export async function startEmbeddedServer(version: number, options: StartPostgresOptions): Promise<ServerHandle> {
  const binaries = await embeddedBinaries(version)
  const { standbyOf } = options
  const password = standbyOf === undefined ? randomBytes(16).toString('hex') : new URL(standbyOf.url).password
  const settings = Object.entries({ ...SERVER_SETTINGS, ...options.settings }).map(([name, value]) => [
    name,
    String(value),
  ])
  const request: KeeperRequest = {
    ...binaries,
    version,
    password,
    settings: Object.fromEntries(settings),
    ...(standbyOf === undefined ? {} : { primary: await primaryOf(standbyOf) }),
  }

  const keeper = spawnKeeper()
  const ended = new Promise<void>((resolve) => keeper.on('close', () => resolve()))
  const lines = createInterface(keeper.stdout)
  const port = await untilReady(keeper, lines, { request, signal: options.signal })
  // From here on a program that ends without stopping the server is not held up by it: the keeper sees it go.
  setReferenced(keeper, false)
  return {
    source: 'embedded',
    version,
    url: `postgresql://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
    async restart(mode) {
      setReferenced(keeper, true)
      const answered = new Promise<KeeperAnswer>((resolve) => {
        lines.once('line', (line) => resolve(JSON.parse(line) as KeeperAnswer))
      })
      const command: KeeperCommand = { restart: mode }
      keeper.stdin.write(`${JSON.stringify(command)}\n`)
      const answer = await Promise.race([answered, ended.then(() => null)])
      setReferenced(keeper, false)
      if (answer?.kind === 'ready') return
      throw new RowtapError('ERR_SETUP_REQUIRED', {
        message: `PostgreSQL did not start again: ${answer?.message ?? 'its keeper process has ended'}`,
      })
    },
    async stop(mode) {
      setReferenced(keeper, true)
      const command: KeeperCommand = { stop: mode }
      if (keeper.exitCode === null) keeper.stdin.end(`${JSON.stringify(command)}\n`)
      await ended
    },
  }
}

async function primaryOf({ url }: PostgresServer): Promise<PrimaryServer> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory')
    return { url, dataDirectory: rows[0]?.data_directory ?? '' }
  } finally {
    await client.end()
  }
}

function spawnKeeper(): Keeper {
  // The same file, as TypeScript in the repository and as JavaScript in the package.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const path = fileURLToPath(new URL(`./keeper/keeper.${extension}`, import.meta.url))
  const environment = { ...process.env }
  // A test runner's options for its own workers are not for this process.
  delete environment['NODE_OPTIONS']
  return spawn(process.execPath, [path], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment,
    windowsHide: true,
  })
}

function untilReady(
  keeper: Keeper,
  lines: Interface,
  { request, signal }: { readonly request: KeeperRequest; readonly signal: AbortSignal | undefined },
): Promise<number> {
  return new Promise((resolve, reject) => {
    let errors = ''
    const fail = (message: string): void => reject(new RowtapError('ERR_SETUP_REQUIRED', { message }))
    const abort = (): void => {
      keeper.stdin.end()
      reject(new RowtapError('ERR_ABORTED', { message: 'Starting PostgreSQL was aborted.', cause: signal?.reason }))
    }
    keeper.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    keeper.on('error', (error) => fail(`PostgreSQL's keeper process could not be started: ${error.message}`))
    keeper.on('close', () => fail(`PostgreSQL's keeper process ended before the server was ready. ${errors.trim()}`))
    // Writing to a process that is gone: 'close' tells it better.
    keeper.stdin.on('error', () => undefined)
    lines.once('line', (line) => {
      signal?.removeEventListener('abort', abort)
      const answer = JSON.parse(line) as KeeperAnswer
      if (answer.kind === 'ready') resolve(answer.port)
      else fail(answer.message)
    })
    if (signal?.aborted === true) return abort()
    signal?.addEventListener('abort', abort, { once: true })
    keeper.stdin.write(`${JSON.stringify(request)}\n`)
  })
}

function setReferenced(keeper: Keeper, referenced: boolean): void {
  for (const handle of [keeper, keeper.stdin, keeper.stdout, keeper.stderr]) {
    if (
      'ref' in handle &&
      'unref' in handle &&
      typeof handle.ref === 'function' &&
      typeof handle.unref === 'function'
    ) {
      if (referenced) handle.ref()
      else handle.unref()
    }
  }
}
