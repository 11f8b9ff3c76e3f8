import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { programEnvironment } from './run-program.ts'
import type { ServerUser } from './server-user.ts'

/** What a server is started with. */
export interface ServerOptions {
  readonly postgres: string
  readonly directory: string
  readonly data: string
  readonly settings: Readonly<Record<string, string>>
  readonly user: ServerUser
}

/** A server that accepts connections. */
export interface ServerProcess {
  readonly port: number
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<void>
  stop(mode: 'fast' | 'immediate'): Promise<void>
}

/** A fast shutdown waits for replication clients to read on; one that does not is not waited for longer than this. */
const FAST_STOP_MS = 5000
const PORT_ATTEMPTS = 20
const LOG_LINES_KEPT = 20

/**
 * Starts a server on 127.0.0.1.
 *
 * @param knownPort `null`: a free one. A port that someone else takes meanwhile is replaced by another one.
 */
export async function startServer(options: ServerOptions, knownPort: number | null): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const port = knownPort ?? (await freePort())
    const child = spawn(options.postgres, serverArguments(options, port), {
      cwd: options.directory,
      env: programEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
      windowsHide: true,
      ...options.user,
    })
    const failure = await untilReady(child)
    if (failure === null) return serverProcess(child, port)
    if (knownPort !== null || attempt === PORT_ATTEMPTS || !/could not bind|could not create any TCP/u.test(failure)) {
      throw new Error(`PostgreSQL did not start: ${failure}`)
    }
  }
}

function serverArguments(options: ServerOptions, port: number): string[] {
  const settings = {
    ...options.settings,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
  }
  return ['-D', options.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** Reads the server's log until it is ready (`null`) or has ended (its last words). */
function untilReady(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const log: string[] = []
    child.on('error', reject)
    child.on('close', () => resolve(log.join('\n')))
    if (child.stderr === null) return
    // The log goes on being read to the end: a server blocks when nobody takes what it writes.
    createInterface(child.stderr).on('line', (line) => {
      if (/database system is ready to accept (?:read-only )?connections/u.test(line)) resolve(null)
      log.push(line)
      if (log.length > LOG_LINES_KEPT) log.shift()
    })
  })
}

function serverProcess(child: ChildProcess, port: number): ServerProcess {
  const ended = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    child.on('exit', () => resolve())
  })
  return {
    port,
    ended,
    async stop(mode) {
      // PostgreSQL's own meaning of the signals: SIGINT is a fast shutdown, SIGQUIT an immediate one.
      child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
      const timer = setTimeout(() => child.kill('SIGQUIT'), FAST_STOP_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
