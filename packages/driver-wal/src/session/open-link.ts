import type { DriverHost } from '@rowtap/core/driver'
import { connectError, connectionUnreadable, unlessAborted } from '@rowtap/core/driver'
import type { ClientConfig } from 'pg'
import pg from 'pg'
import { RelationRegistry } from '../catalog/relation-registry.ts'
import { ControlConnection } from '../connection/control-connection.ts'
import { databaseError } from '../errors/database-error.ts'
import { replicationConnectError } from '../errors/replication-connect-error.ts'
import type { AttachedTables } from '../publication/attached-tables.ts'
import { pushdownSetting } from '../publication/explain-pushdown.ts'
import type { Gate } from '../publication/gate.ts'
import { ReplicationConnection } from '../replication/replication-connection.ts'
import { openTransactionsOptions } from '../replication/streaming/streaming-options.ts'
import { TimelineHistory } from '../replication/timeline-history.ts'
import type { WalDriverOptions } from '../wal-driver-options.ts'
import type { CaptureSource, Connections, FormerConnections } from './capture-source.ts'
import { checkServer } from './check-server.ts'
import { DEFAULT_LIVENESS_MS, Link } from './link.ts'
import { streamingFailed } from './streaming-failed.ts'

/** How long what is under way may take to end when the caller gives up, in milliseconds. */
const GIVE_UP_MS = 2000

/** What the links of a session are made with. */
export interface LinkOptions {
  readonly config: ClientConfig
  readonly driver: WalDriverOptions
  readonly host: DriverHost
  readonly source: CaptureSource
  readonly attached: AttachedTables
  readonly gate: Gate
  /** Processes of the server that the session's control connections talk, or talked, to. */
  readonly processIds: Set<number>
}

/**
 * Connects, checks, and starts to stream. What it made is removed again when it fails.
 *
 * What may be refused comes before what changes the database.
 *
 * @param former the link that this one follows; `null` for a session's first.
 * @throws RowtapError
 */
export async function openLink(options: LinkOptions, former: FormerConnections | null): Promise<Link> {
  const { config, host } = options
  const control = controlConnection(config)
  const replication = new ReplicationConnection(config)
  try {
    const version = await connectControl(control, options)
    const { processIds } = options
    const link = startLink(options, { control, replication, version, host, former, processIds })
    try {
      // A server that falls silent is found on the control connection.
      return await Promise.race([unlessAborted(host.signal, () => link, GIVE_UP_MS), control.lost])
    } catch (error) {
      // It may still come about, and nobody waits for it any more.
      link.then((made) => made.abandon()).catch(() => undefined)
      throw error
    }
  } catch (error) {
    await replication.stop(null)
    await control.end()
    throw databaseError(error, 'start capturing')
  }
}

async function startLink(options: LinkOptions, made: Omit<Connections, 'history'>): Promise<Link> {
  const { driver, host, source, attached, gate } = options
  const { control, replication } = made
  // The server has but so many connections of the other kind, and who waits needs none.
  await source.claim?.(made)
  await unlessAborted(host.signal, () => replication.connect()).catch((error: unknown) => {
    throw replicationConnectError(error, control)
  })
  const server = new TimelineHistory(await replication.identify())
  const before = made.former?.inFlight
  const history = before === undefined ? server : server.after(before.history, before.received)
  const prepared = await source.prepare({ ...made, history })
  options.processIds.clear()
  options.processIds.add(control.processId)
  const senderTimeoutMs = await replication.senderTimeoutMs()
  const senderProcessId = await replication.processId()
  const { slot, publications } = prepared.name
  // What ended the link before this one is to come after its commit.
  const mayStream = made.former === null || streamingFailed(made.former.cause.cause) === null
  const open = mayStream ? openTransactionsOptions(driver) : null
  const reader = replication.start(slot, [publications.all, publications.inserts], {
    isStreaming: open !== null,
    messages: host.messages,
  })
  return new Link({
    control,
    replication,
    reader,
    relations: new RelationRegistry(control, driver.types ?? pg.types, attached),
    attached,
    open,
    source,
    prepared,
    history,
    gate,
    fullIdentity: driver.replicaIdentity === 'full',
    pushdown: pushdownSetting(driver, made.version),
    host,
    senderProcessId,
    senderTimeoutMs,
    livenessMs: driver.livenessMs ?? DEFAULT_LIVENESS_MS,
  })
}

/**
 * Connects for what is asked and set up, and checks the server.
 *
 * @returns the server's version, as `server_version_num` has it.
 * @throws RowtapError, or the error of `pg`.
 */
export async function connectControl(
  control: ControlConnection,
  { driver, host, processIds }: Pick<LinkOptions, 'driver' | 'host' | 'processIds'>,
): Promise<number> {
  control.waitForLocks((reason) => host.notify({ kind: 'wait', reason, processIds: [] }))
  await unlessAborted(host.signal, () => control.connect()).catch((error: unknown) => {
    throw connectError(error, control)
  })
  processIds.add(control.processId)
  control.watch(driver.livenessMs ?? DEFAULT_LIVENESS_MS)
  return await unlessAborted(host.signal, () => checkServer(control))
}

/**
 * A connection that is not made yet. `pg` reads a connection string, and the files that it names, when its client is made.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function controlConnection(config: ClientConfig): ControlConnection {
  try {
    return new ControlConnection(config)
  } catch (error) {
    throw connectionUnreadable('walDriver', error)
  }
}
