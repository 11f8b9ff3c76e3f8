import type { ConnectionTarget } from '@rowtap/core/driver'
import { connectError, errorText, quoteIdentifier, RowtapError, sqlstateOf } from '@rowtap/core/driver'

/** An error while the replication connection was made, after the control connection was. */
export function replicationConnectError(error: unknown, target: ConnectionTarget): RowtapError {
  if (RowtapError.is(error)) return error
  switch (sqlstateOf(error)) {
    case '42501':
      return new RowtapError('ERR_SETUP_REQUIRED', {
        message: `Role ${quoteIdentifier(target.user)} may not replicate. Run: ALTER ROLE ${quoteIdentifier(target.user)} REPLICATION`,
        cause: error,
      })
    case '53300':
      return new RowtapError('ERR_SETUP_REQUIRED', {
        message: `The server has no replication connection free (${errorText(error)}). Run: ALTER SYSTEM SET max_wal_senders = … with a higher number, and restart the server.`,
        retryable: true,
        cause: error,
      })
    default:
      return connectError(error, target)
  }
}
