/**
 * A process of its own that owns one PostgreSQL server and its directory.
 *
 *   waits for the request → initialises → runs ── stop, or end of input ──→ stops the server → removes the directory → ends
 *                                        └─restart─┘
 *
 * The end of its standard input is the sign that the program that wanted the server is gone, however it went: the
 * operating system closes the pipe even after `kill -9`. So that program needs no exit hook and no signal handler.
 * The keeper is in a process group of its own, and does not see a terminal's Ctrl-C.
 */
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { copyCluster } from './copy-cluster.ts'
import { dataHome } from './data-home.ts'
import { initCluster } from './init-cluster.ts'
import type { KeeperAnswer, KeeperCommand, KeeperRequest } from './protocol.ts'
import type { ServerOptions } from './server-process.ts'
import { startServer } from './server-process.ts'
import { serverUser } from './server-user.ts'
import { usableBinaries } from './usable-binaries.ts'

const lines = createInterface(process.stdin)
let stopMode: 'fast' | 'immediate' = 'immediate'
let restart: (mode: 'fast' | 'immediate') => void = () => undefined
const told = new Promise<void>((resolve) => {
  lines.on('close', resolve)
  process.on('SIGTERM', resolve)
  process.on('SIGINT', resolve)
})
// Whoever reads the answer may be gone.
process.stdout.on('error', () => lines.close())

lines.once('line', (first) => {
  lines.on('line', (line) => {
    const command = JSON.parse(line) as KeeperCommand
    if ('restart' in command) return restart(command.restart)
    stopMode = command.stop
    lines.close()
  })
  void keep(JSON.parse(first) as KeeperRequest)
})

async function keep(request: KeeperRequest): Promise<void> {
  const directories: string[] = []
  try {
    const options = await prepare(request, directories)
    let server = await startServer(options, null)
    answer({ kind: 'ready', port: server.port })
    for (;;) {
      const restarted = new Promise<'fast' | 'immediate'>((resolve) => {
        restart = resolve
      })
      const mode = await Promise.race([told, server.ended, restarted])
      if (mode === undefined) break
      await server.stop(mode)
      server = await startServer(options, server.port)
      answer({ kind: 'ready', port: server.port })
    }
    await server.stop(stopMode)
  } catch (error) {
    answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    process.exitCode = 1
  } finally {
    for (const directory of directories) await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  process.stdin.destroy()
  process.exit()
}

async function prepare(request: KeeperRequest, directories: string[]): Promise<ServerOptions> {
  const user = await serverUser()
  async function newDirectory(home: string): Promise<string> {
    const directory = await mkdtemp(join(home, 'rowtap-postgres-'))
    directories.push(directory)
    if (user !== null) await chown(directory, user.uid, user.gid)
    return directory
  }
  // Memory may forbid running programs from it: what has to be copied is copied elsewhere.
  const programs = await usableBinaries(request, () => newDirectory(tmpdir()), user)
  const directory = await newDirectory(await dataHome())
  const { version, password, primary } = request
  const data =
    primary === undefined
      ? await initCluster({ version, initdb: programs.initdb, directory, password, user })
      : await copyCluster({ version, primary, directory, user })
  return { postgres: programs.postgres, directory, data, settings: request.settings, user }
}

function answer(text: KeeperAnswer): void {
  process.stdout.write(`${JSON.stringify(text)}\n`)
}
