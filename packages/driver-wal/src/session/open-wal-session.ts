import type { DriverHost, DriverSession } from '@rowtap/core/driver'
import { connectError, connectionUnreadable } from '@rowtap/core/driver'
import type { ClientConfig } from 'pg'
import pg from 'pg'
import { RelationRegistry } from '../catalog/relation-registry.ts'
import { clientConfig } from '../connection/client-config.ts'
import { ControlConnection } from '../connection/control-connection.ts'
import { databaseError } from '../errors/database-error.ts'
import { replicationConnectError } from '../errors/replication-connect-error.ts'
import { AttachedTables } from '../publication/attached-tables.ts'
import { ephemeralName } from '../publication/ephemeral-name.ts'
import {
  createEphemeralPublications,
  dropEphemeralPublications,
  removeAbandonedPublications,
} from '../publication/ephemeral-publications.ts'
import { InFlight } from '../replication/in-flight.ts'
import { ReplicationConnection } from '../replication/replication-connection.ts'
import type { WalDriverOptions } from '../wal-driver-options.ts'
import { checkServer } from './check-server.ts'
import { createSlot } from './create-slot.ts'
import { planningSession } from './planning-session.ts'
import { unlessAborted } from './waiting.ts'
import { WalSession } from './wal-session.ts'

/**
 * Connects, checks, and starts to stream with empty publications. What it made is removed again when it fails.
 *
 * The order matters: what may be refused comes before what changes the database, and the publications before the
 * slot, because a slot does not see a publication that is younger.
 *
 * @throws RowtapError
 */
export async function openWalSession(options: WalDriverOptions, host: DriverHost): Promise<DriverSession> {
  const config = clientConfig(options.connection)
  const control = controlConnection(config)
  const replication = new ReplicationConnection(config)
  const name = ephemeralName()
  let isPublished = false
  try {
    await unlessAborted(host.signal, () => control.connect()).catch((error: unknown) => {
      throw connectError(error, control)
    })
    const version = await unlessAborted(host.signal, () => checkServer(control))
    const attached = new AttachedTables()
    const relations = new RelationRegistry(control, options.types ?? pg.types, attached)
    if (host.planOnly) return planningSession({ control, relations, attached, name, version, host })
    await unlessAborted(host.signal, () => replication.connect()).catch((error: unknown) => {
      throw replicationConnectError(error, control)
    })
    isPublished = true
    await removeAbandonedPublications(control)
    await createEphemeralPublications(control, name, version)
    const inFlight = new InFlight(await createSlot(replication, control, name.slot, host))
    const senderTimeoutMs = await replication.senderTimeoutMs()
    const { all, inserts } = name.publications
    const reader = replication.start(name.slot, [all, inserts])
    return new WalSession({ control, replication, reader, relations, attached, inFlight, name, host, senderTimeoutMs })
  } catch (error) {
    await replication.stop(null)
    // The first error is the one to tell. What cannot be removed now, the next start removes.
    if (isPublished) await dropEphemeralPublications(control, name).catch(() => undefined)
    await control.end()
    throw databaseError(error, 'start capturing')
  }
}

/** `pg` reads a connection string, and the files that it names, when its client is made. */
function controlConnection(config: ClientConfig): ControlConnection {
  try {
    return new ControlConnection(config)
  } catch (error) {
    throw connectionUnreadable('walDriver', error)
  }
}
