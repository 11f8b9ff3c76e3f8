import { chmod, cp, lchown, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Client } from 'pg'
import type { PrimaryServer } from './protocol.ts'
import type { ServerUser } from './server-user.ts'

/** Where and of what a copy is made. */
export interface CopyOptions {
  readonly version: number
  readonly primary: PrimaryServer
  /** The directory that holds everything of the server. */
  readonly directory: string
  readonly user: ServerUser
}

/** What belongs to the running server, and not to its data. */
const LEFT_OUT: ReadonlySet<string> = new Set(['postmaster.pid', 'postmaster.opts', 'standby.signal'])
/** Directories of what a standby has of its own. */
const EMPTY: readonly string[] = ['pg_replslot', 'pg_dynshmem', 'pg_stat_tmp']

const FIRST_WITH_NEW_NAMES = 15

/** Copies the cluster of a running server, which goes on meanwhile, as one that follows it. Returns its data directory. */
export async function copyCluster({ version, primary, directory, user }: CopyOptions): Promise<string> {
  const data = join(directory, 'data')
  const client = new Client({ connectionString: primary.url })
  await client.connect()
  try {
    const isNew = version >= FIRST_WITH_NEW_NAMES
    // The session has to last until the copy is made.
    await client.query(isNew ? `SELECT pg_backup_start('copy', true)` : `SELECT pg_start_backup('copy', true, false)`)
    await copyFiles(primary.dataDirectory, data)
    const { rows } = await client.query<{ labelfile: string }>(
      `SELECT labelfile FROM ${isNew ? 'pg_backup_stop(false)' : 'pg_stop_backup(false, false)'}`,
    )
    await writeFile(join(data, 'backup_label'), rows[0]?.labelfile ?? '')
  } finally {
    await client.end()
  }
  await writeFile(join(data, 'standby.signal'), '')
  await writeFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${primary.url}?application_name=standby'\n`)
  if (user !== null) await giveTo(user, data)
  return data
}

async function copyFiles(source: string, data: string): Promise<void> {
  // Files may go away while they are copied: what the log does not bring back was not part of the data.
  await cp(source, data, {
    recursive: true,
    filter: (path) => !LEFT_OUT.has(relative(source, path)),
  })
  await chmod(data, 0o700)
  for (const name of EMPTY) {
    await rm(join(data, name), { recursive: true, force: true })
    await mkdir(join(data, name), { mode: 0o700 })
  }
}

async function giveTo(user: NonNullable<ServerUser>, directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true })
  await Promise.all(
    [directory, ...entries.map((entry) => join(directory, entry))].map((path) => lchown(path, user.uid, user.gid)),
  )
}
