import { RowtapError } from '@rowtap/core/driver'
import { sqlstateMeaning } from './sqlstate-codes.ts'

/** The SQLSTATE of an error that the server sent, otherwise `null`. */
export function sqlstateOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null
  // The system's own codes (ECONNREFUSED) are in the same property.
  return 'severity' in error && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null
}

/** An error's message; for a host with several addresses, the first one's. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return messageOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}

/** An error of a statement on an established connection, as the user sees it. */
export function databaseError(error: unknown, doing: string): RowtapError {
  if (RowtapError.is(error)) return error
  const sqlstate = sqlstateOf(error)
  // Everything that does not come from the server says that the server is not there any more.
  if (sqlstate === null) return connectionLost(error)
  const meaning = sqlstateMeaning(sqlstate)
  if (meaning?.code === 'ERR_CONNECTION_LOST') return connectionLost(error)
  return new RowtapError(meaning?.code ?? 'ERR_DATABASE', {
    message: `PostgreSQL refused to ${doing}: ${messageOf(error)} (SQLSTATE ${sqlstate}).`,
    retryable: meaning?.retryable ?? false,
    cause: error,
  })
}

/** The connection to the server ended. */
export function connectionLost(cause: unknown): RowtapError {
  return new RowtapError('ERR_CONNECTION_LOST', {
    message: `The connection to PostgreSQL was lost: ${messageOf(cause)}. Changes from then on are not delivered: connect again.`,
    retryable: true,
    cause,
  })
}

/** The caller gave up. */
export function aborted(signal: AbortSignal): RowtapError {
  return new RowtapError('ERR_ABORTED', { message: 'The caller gave up waiting.', cause: signal.reason })
}
