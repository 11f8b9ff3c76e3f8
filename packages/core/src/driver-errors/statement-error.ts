import { RowtapError } from '../rowtap-error.ts'
import { errorText, sqlstateOf } from './server-error.ts'
import type { SqlstateMeanings } from './sqlstate-meaning.ts'
import { sqlstateMeaning } from './sqlstate-meaning.ts'

/**
 * An error of a statement on an established connection, as the user sees it. A RowtapError stays as it is.
 *
 * @param doing what was refused, after "PostgreSQL refused to": `'capture public.orders'`.
 * @param meanings the driver's own table, which begins with `SQLSTATE_MEANINGS`.
 */
export function statementError(error: unknown, doing: string, meanings: SqlstateMeanings): RowtapError {
  if (RowtapError.is(error)) return error
  const sqlstate = sqlstateOf(error)
  // What comes neither from the server nor from our own code says that the server is not there any more.
  if (sqlstate === null) return isDefect(error) ? driverDefect(error, doing) : connectionLost(error)
  const meaning = sqlstateMeaning(meanings, sqlstate)
  if (meaning?.code === 'ERR_CONNECTION_LOST') return connectionLost(error)
  const advice = meaning?.advice === undefined ? '' : ` ${meaning.advice}`
  return new RowtapError(meaning?.code ?? 'ERR_DATABASE', {
    message: `PostgreSQL refused to ${doing}: ${errorText(error)} (SQLSTATE ${sqlstate}).${advice}`,
    retryable: meaning?.retryable ?? false,
    cause: error,
  })
}

/** The connection to the server ended. */
export function connectionLost(cause: unknown): RowtapError {
  return new RowtapError('ERR_CONNECTION_LOST', {
    message: `The connection to PostgreSQL was lost: ${errorText(cause)}.`,
    retryable: true,
    cause,
  })
}

/** Whether the engine has thrown it because a program is wrong: to connect again would not help, and would hide it. */
function isDefect(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
}

function driverDefect(cause: unknown, doing: string): RowtapError {
  return new RowtapError('ERR_DRIVER_CONTRACT', {
    message: `The driver failed by itself when it was to ${doing}: ${errorText(cause)}. Please report it to the driver’s author, with the error's cause.`,
    cause,
  })
}
