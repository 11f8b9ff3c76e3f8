import { RowtapError } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { SERVER } from '../sql/catalog-statements.ts'

/** What a session knows of the server. */
export interface Server {
  readonly version_number: number
  readonly version: string
  readonly in_recovery: boolean
  /** Whether the server records when transactions commit. */
  readonly commit_times: boolean
  /** Whether PREPARE TRANSACTION is possible, which a NOTIFY would make fail. */
  readonly prepared_transactions: boolean
  /** What the role, the database or the connection's options set. */
  readonly search_path: string
}

/**
 * Looks what the server is.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where the driver does not work with it.
 */
export async function checkServer(connection: Connection): Promise<Server> {
  const [server] = await connection.rows<Server>(SERVER)
  if (server === undefined) throw new RowtapError('ERR_DATABASE', { message: 'PostgreSQL returned no row.' })
  if (server.version_number < 140_000) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `The server is PostgreSQL ${server.version}. The trigger driver needs version 14 or later: upgrade the server.`,
    })
  }
  if (server.in_recovery) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message:
        'The server is a standby, which cannot be written to. Connect to the primary server: triggers write a queue.',
    })
  }
  return server
}
