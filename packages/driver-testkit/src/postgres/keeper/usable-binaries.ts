import { cp, lchown, lstat, mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { ServerUser } from './server-user.ts'
import { runProgram } from './run-program.ts'

/** Where the two programs are. */
export interface ProgramPaths {
  readonly initdb: string
  readonly postgres: string
}

/**
 * Makes sure that the user can run the programs. They are copied into a new directory where it cannot: a checkout
 * under /root is closed to everyone else, and a package manager that ran no install script left out the
 * symbolic links of the libraries.
 */
export async function usableBinaries(
  paths: ProgramPaths,
  newDirectory: () => Promise<string>,
  user: ServerUser,
): Promise<ProgramPaths> {
  if (await run(paths, user)) return paths
  const source = dirname(dirname(paths.initdb))
  const copy = join(await newDirectory(), 'binaries')
  await mkdir(copy, { mode: 0o755 })
  await cp(source, copy, { recursive: true, verbatimSymlinks: true })
  await restoreLinks(join(source, 'pg-symlinks.json'), copy)
  if (user !== null) await giveTo(user, copy)
  const copied = {
    initdb: join(copy, 'bin', basename(paths.initdb)),
    postgres: join(copy, 'bin', basename(paths.postgres)),
  }
  if (await run(copied, user)) return copied
  const { output } = await runProgram(copied.initdb, ['--version'], tmpdir(), user)
  throw new Error(`PostgreSQL's programs do not run on this machine: ${output}`)
}

async function run(paths: ProgramPaths, user: ServerUser): Promise<boolean> {
  try {
    const programs = [paths.initdb, paths.postgres].map((path) => runProgram(path, ['--version'], tmpdir(), user))
    return (await Promise.all(programs)).every(({ exitCode }) => exitCode === 0)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') return false
    throw error
  }
}

/** Whatever the modes are under the checkout: the owner can read. */
async function giveTo(user: NonNullable<ServerUser>, directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true })
  await Promise.all(
    [directory, ...entries.map((entry) => join(directory, entry))].map((path) => lchown(path, user.uid, user.gid)),
  )
}

async function restoreLinks(list: string, copy: string): Promise<void> {
  const links: unknown = JSON.parse(await readFile(list, 'utf8'))
  if (!Array.isArray(links)) throw new Error(`${list} is not a list`)
  for (const link of links as readonly { readonly source: string; readonly target: string }[]) {
    const place = join(copy, link.target.replace(/^native\//u, ''))
    if (await exists(place)) continue
    await symlink(basename(link.source), place)
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
