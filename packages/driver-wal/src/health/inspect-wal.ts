import { setTimeout as sleep } from 'node:timers/promises'
import type { TableName } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { databaseError } from '../errors/database-error.ts'
import { unlessAborted } from '@rowtap/core/driver'
import type { WalDriverOptions } from '../wal-driver-options.ts'
import { LEFT_PROGRESS, LOG_DIRECTORY, PUBLICATIONS, READ_ONLY } from './health-sql.ts'
import { bytesOf } from './health-values.ts'
import { readMovedSlots } from './moved-slots.ts'
import { openControl } from './open-control.ts'
import { findOrphans } from './orphans.ts'
import { ownerOfPublication } from './owned-name.ts'
import { readClients } from './read-clients.ts'
import { readServer } from './read-server.ts'
import type { SlotsLook } from './read-slots.ts'
import { compareLooks, readSlots } from './read-slots.ts'
import { readTableHealth, readTablesHealth } from './read-table-health.ts'
import type { WalHealth, WalLeftProgress, WalPublicationHealth } from './wal-health.ts'

/** What is looked at, and how. */
export interface InspectWalOptions extends Pick<WalDriverOptions, 'connection'> {
  /** Tables to look at besides those that are published. Default: none. */
  readonly tables?: readonly TableName[]
  /**
   * How far apart the two looks are that tell how fast the log grows and which slots move, in milliseconds.
   * 0 is one look, without that. Default: 2000.
   */
  readonly sampleMs?: number
  /** Gives up. */
  readonly signal?: AbortSignal
}

const OLDEST_VERSION = 140_000

/**
 * Looks at everything that capturing one database through its write-ahead log depends on: settings, privileges, slots,
 * publications and what nobody uses any more. Changes nothing, and works with a role that may do nothing but connect;
 * what such a role cannot see is in `unseen`. Of a server older than 14 it tells the settings only.
 *
 * @throws RowtapError ERR_CONNECTION_FAILED, ERR_AUTHENTICATION_FAILED, ERR_CONNECTION_LOST, ERR_ABORTED.
 */
export async function inspectWal(options: InspectWalOptions = {}): Promise<WalHealth> {
  const { signal = new AbortController().signal } = options
  const control = await openControl(options.connection, signal)
  try {
    return await unlessAborted(signal, () => inspect(control, options, signal))
  } catch (error) {
    throw databaseError(error, 'tell how it is')
  } finally {
    await control.end()
  }
}

async function inspect(
  control: ControlConnection,
  { tables = [], sampleMs = 2000 }: InspectWalOptions,
  signal: AbortSignal,
): Promise<WalHealth> {
  await control.query(READ_ONLY)
  const { database, server, role, seesDirectory, seesProcesses } = await readServer(control)
  const known = server.version >= OLDEST_VERSION
  const first = known && sampleMs > 0 ? await lookAndWait(control, server.version, sampleMs, signal) : null
  const last: SlotsLook = known ? await readSlots(control, server.version) : { atMs: Date.now(), lsn: null, slots: [] }
  const moved = known ? await readMovedSlots(control, last.slots) : undefined
  const { bytesPerSecond, slots } = compareLooks(first, last, moved)
  const publications = known ? await readPublications(control) : []
  const leftProgress = known ? await readLeftProgress(control) : []
  const clients = known ? await readClients(control, [...slots, ...publications, ...leftProgress]) : []
  const unseen: string[] = []
  let directoryBytes: number | null = null
  if (seesDirectory) {
    const [directory] = await control.query<'bytes'>(LOG_DIRECTORY)
    directoryBytes = bytesOf(directory?.bytes ?? null)
  } else {
    unseen.push('How large the directory of the write-ahead log is: the role is not a member of pg_monitor.')
  }
  if (!seesProcesses) {
    unseen.push('What server processes of other roles do: the role is not a member of pg_read_all_stats.')
  }
  unseen.push('How much room the server’s disk has left: PostgreSQL does not tell.')
  return {
    takenAt: new Date(last.atMs),
    database,
    server,
    role,
    wal: { lsn: last.lsn, bytesPerSecond, sampleMs: first === null ? 0 : last.atMs - first.atMs, directoryBytes },
    slots,
    publications,
    leftProgress,
    orphans: findOrphans({ slots, publications, leftProgress, clients }),
    clients,
    tables: known ? await inTurn(tables, (table) => readTableHealth(control, table)) : [],
    unseen,
  }
}

async function lookAndWait(
  control: ControlConnection,
  version: number,
  sampleMs: number,
  signal: AbortSignal,
): Promise<SlotsLook> {
  const look = await readSlots(control, version)
  await sleep(sampleMs, undefined, { signal })
  return look
}

async function readPublications(control: ControlConnection): Promise<readonly WalPublicationHealth[]> {
  const rows = await control.query<'name' | 'role' | 'owned' | 'updates' | 'tables' | 'progress'>(PUBLICATIONS)
  const publications: WalPublicationHealth[] = []
  for (const row of rows) {
    const owner = ownerOfPublication(row.name ?? '')
    if (row.name === null || owner === null) continue
    // The statement builds these documents, so their shape is known here.
    const oids = JSON.parse(row.tables ?? '[]') as readonly number[]
    publications.push({
      name: row.name,
      owner,
      role: row.role ?? '',
      isOwned: row.owned === 't',
      publishesUpdates: row.updates === 't',
      progress: JSON.parse(row.progress ?? '[]') as readonly number[],
      tables: await readTablesHealth(control, oids),
    })
  }
  return publications
}

async function readLeftProgress(control: ControlConnection): Promise<readonly WalLeftProgress[]> {
  const rows = await control.query<'oid' | 'publication' | 'role' | 'owned'>(LEFT_PROGRESS)
  return rows.flatMap(({ oid, publication, role, owned }) => {
    const owner = ownerOfPublication(publication ?? '')
    return owner === null ? [] : [{ oid: Number(oid), owner, role: role ?? '', isOwned: owned === 't' }]
  })
}

async function inTurn<T, R>(items: readonly T[], body: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (const item of items) results.push(await body(item))
  return results
}
