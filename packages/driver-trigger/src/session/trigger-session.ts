import type { ChangeBatch, DriverHost, DriverSession, Position, TableName } from '@rowtap/core/driver'
import { ColumnTypeBook, normaliseConstants, RowtapError, SQLSTATE_MEANINGS, statementError } from '@rowtap/core/driver'
import { findTable } from '../catalog/find-table.ts'
import { relationCache } from '../catalog/relations.ts'
import type { Connection } from '../connection/connection.ts'
import { lossOf } from '../connection/connection.ts'
import type { PostgresTypes, ResolvedTriggerOptions } from '../trigger-options.ts'
import type { Consumer } from './consumer.ts'
import { openConsumer } from './consumer.ts'
import type { Server } from './open-session.ts'
import { planFirstCapture } from './plan-capture.ts'

/** The options of a session: the type parsers are decided. */
export type SessionOptions = ResolvedTriggerOptions & { readonly types: PostgresTypes }

/**
 * The session that core talks to. The queue is installed, and the session registered as its consumer, when the first
 * table is captured.
 */
export function triggerSession(
  options: SessionOptions,
  host: DriverHost,
  control: Connection,
  reader: Connection,
  server: Server,
): DriverSession {
  const closing = new AbortController()
  const signal = AbortSignal.any([host.signal, closing.signal])
  // By the connection that reads the queue: what is read of a type is never older than the changes that were read before.
  const columnTypes = new ColumnTypeBook(async (statement) => {
    try {
      return await reader.textRow(statement)
    } catch (error) {
      if (reader.ended.aborted) throw lossOf(reader.ended)
      throw statementError(error, 'read the types of a table’s columns', SQLSTATE_MEANINGS)
    }
  })
  const relationOf = relationCache(options.types, columnTypes)
  let consumer: Promise<Consumer> | null = null
  let started: (consumer: Consumer | null) => void = () => {}
  const firstConsumer = new Promise<Consumer | null>((resolve) => (started = resolve))
  let closed: Promise<void> | null = null

  const ensureConsumer = async (): Promise<Consumer> => {
    if (closed !== null) throw new RowtapError('ERR_CLOSED', { message: 'The session is closed.' })
    consumer ??= openConsumer({ options, host, control, reader, server, signal, columnTypes, relationOf })
    try {
      const opened = await consumer
      started(opened)
      return opened
    } catch (error) {
      // Core may try again, with the setup corrected.
      consumer = null
      throw error
    }
  }

  return {
    describe: async (table: TableName) => {
      const found = await findTable(control, options.schema, table)
      await columnTypes.read(Number(found.oid))
      return relationOf({ oid: found.oid, name: table }, found.content).relation
    },
    normalise: async (constants) => {
      try {
        return await normaliseConstants(control.textRow)(constants)
      } catch (error) {
        throw statementError(error, 'read the constants of a condition', SQLSTATE_MEANINGS)
      }
    },
    plan: async (requests) => {
      const tables = requests.map(({ table }) => table)
      const opened = await consumer
      return opened === null
        ? await planFirstCapture({ options, control, server, signal }, tables)
        : await opened.plan(tables)
    },
    capture: async (requests): Promise<Position> => {
      const opened = await ensureConsumer()
      return opened.capture(requests)
    },
    batches: async function* (): AsyncIterable<ChangeBatch> {
      const lost = whenEnded(control.ended, reader.ended)
      const opened = await Promise.race([firstConsumer, lost])
      if (opened !== null) yield* opened.batches()
    },
    acknowledge: (position) => {
      // Nothing can have been delivered before there is a consumer.
      void consumer?.then((opened) => opened.acknowledge(position))
    },
    close: () => {
      closed ??= (async () => {
        closing.abort(new RowtapError('ERR_CLOSED', { message: 'The session is closed.' }))
        started(null)
        try {
          const opened = await consumer?.catch(() => null)
          await opened?.close()
        } finally {
          await Promise.all([reader.close(), control.close()])
        }
      })()
      return closed
    },
  }
}

/** Rejects when a connection ends. */
function whenEnded(...signals: readonly AbortSignal[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of signals) {
      if (signal.aborted) reject(lossOf(signal))
      signal.addEventListener('abort', () => reject(lossOf(signal)), { once: true })
    }
  })
}
