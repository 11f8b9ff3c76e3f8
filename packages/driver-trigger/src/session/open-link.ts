import type { DriverHost } from '@rowtap/core/driver'
import { ColumnTypeBook, SQLSTATE_MEANINGS, statementError, Waiting } from '@rowtap/core/driver'
import { relationCache } from '../catalog/relations.ts'
import type { Connection } from '../connection/connection.ts'
import { lossOf, openConnection } from '../connection/connection.ts'
import { watchLiveness } from '../connection/liveness.ts'
import { DURABLE_SETTINGS, END_PROCESSES } from '../sql/catalog-statements.ts'
import type { PostgresTypes, ResolvedTriggerOptions } from '../trigger-options.ts'
import { checkServer } from './check-server.ts'
import { Link } from './link.ts'
import { takeSubscription } from './subscription-lock.ts'

/** The options of a session: the type parsers are decided. */
export type SessionOptions = ResolvedTriggerOptions & { readonly types: PostgresTypes }

/** A process of the server that a connection of the session talked to. */
export interface FormerProcess {
  readonly id: number
  readonly started: string
}

/** What the links of a session are made with. */
export interface LinkOptions {
  readonly options: SessionOptions
  readonly host: DriverHost
  /** Aborted when the session closes, or when its client waits no longer. */
  readonly signal: AbortSignal
  /** Processes of the server that the session's connections talked to. They may not have noticed their end yet. */
  readonly processes: Set<FormerProcess>
}

/**
 * Connects twice (to read the queue, and for everything else), checks the server, and takes the subscription where there is
 * one. Makes nothing yet.
 *
 * @throws RowtapError
 */
export async function openLink({ options, host, signal, processes }: LinkOptions): Promise<Link> {
  const connections: Connection[] = []
  const open = async (use: 'control' | 'reader'): Promise<Connection> => {
    const connection = await openConnection(options, signal, use)
    connections.push(connection)
    // What a pooler is in between of is not one process of ours.
    if (connection.processId !== 0) processes.add({ id: connection.processId, started: connection.processStarted })
    return connection
  }
  const subscription = host.planOnly ? null : host.subscription
  let stopWatching = (): void => {}
  try {
    const former = [...processes]
    const control = await open('control')
    // Taking a subscription may take long, and a server that is gone without a word is found meanwhile.
    stopWatching = watchLiveness(control, null, options.livenessMs)
    const lost = (): void => {
      for (const connection of connections) connection.drop(lossOf(control.ended))
    }
    control.ended.addEventListener('abort', lost, { once: true })
    const server = await checkServer(control)
    await control.rows(END_PROCESSES, [former.map(({ id }) => id), former.map(({ started }) => started)])
    for (const process of former) processes.delete(process)
    const waiting = new Waiting({ signal, notify: (notice) => host.notify(notice) })
    const { livenessMs } = options
    if (subscription !== null)
      await takeSubscription(control, { ...subscription, part: 'control', waiting, livenessMs })
    const reader = await open('reader')
    if (subscription !== null) {
      await reader.run(DURABLE_SETTINGS)
      await takeSubscription(reader, { ...subscription, part: 'reader', waiting, livenessMs })
    }
    stopWatching()
    const columnTypes = columnTypesOf(reader)
    const relationOf = relationCache(options.types, columnTypes)
    const connect = (ending: AbortSignal): Promise<Connection> => openConnection(options, ending)
    return new Link({ control, reader, server, columnTypes, relationOf, livenessMs, connect })
  } catch (error) {
    stopWatching()
    await Promise.all(connections.map((connection) => connection.close()))
    throw error
  }
}

/** By the connection that reads the queue: what is read of a type is never older than the changes that were read before. */
function columnTypesOf(reader: Connection): ColumnTypeBook {
  return new ColumnTypeBook(async (statement) => {
    try {
      return await reader.textRow(statement)
    } catch (error) {
      if (reader.ended.aborted) throw lossOf(reader.ended)
      throw statementError(error, 'read the types of a table’s columns', SQLSTATE_MEANINGS)
    }
  })
}
