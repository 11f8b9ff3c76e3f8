import { RowtapError } from '@rowtap/core/driver'
import { messageOf, sqlstateOf } from '../errors/database-error.ts'

const INTERNAL_ERROR = 'XX000'

/**
 * PostgreSQL fails to send some transactions while they are open: those that alter a table, roll back to a savepoint and go
 * on (`could not map filenumber`). After their commit it sends them.
 *
 * @returns what to tell of such an error; `null` where it is another one.
 */
export function streamingFailed(error: unknown): RowtapError | null {
  if (sqlstateOf(error) !== INTERNAL_ERROR) return null
  return new RowtapError('ERR_DATABASE', {
    message: `PostgreSQL failed to send a transaction while it is open (${messageOf(error)}): over the next connection transactions are sent after their commit, as with streaming: 'off'.`,
    retryable: true,
    cause: error,
  })
}
