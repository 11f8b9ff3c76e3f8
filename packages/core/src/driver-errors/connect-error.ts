import { quoteIdentifier } from '../contract/table-name.ts'
import { RowtapError } from '../rowtap-error.ts'
import { codeOf, errorText, sqlstateOf } from './server-error.ts'
import { tlsProblem } from './tls-problem.ts'

/** Whom a connection was for, as far as a message may say. */
export interface ConnectionTarget {
  /** Host and port. */
  readonly address: string
  readonly database: string
  readonly user: string
}

/** A connection string that cannot be read. It may hold a password, and so may the error: neither is told. */
export function connectionUnreadable(factory: string, error: unknown): RowtapError {
  const isFile = error instanceof Error && 'syscall' in error
  return new RowtapError('ERR_INVALID_OPTIONS', {
    message: isFile
      ? `${factory}: a file that the connection names cannot be read (${error.message}).`
      : `${factory}: the connection string cannot be read: write it as postgres://user:password@host:port/database, with other characters than letters and digits percent-encoded.`,
  })
}

/** An error while a connection was made, as the user sees it. A RowtapError stays as it is. */
export function connectError(error: unknown, target: ConnectionTarget): RowtapError {
  if (RowtapError.is(error)) return error
  const sqlstate = sqlstateOf(error)
  return sqlstate === null ? unanswered(error, target) : refused(error, sqlstate, target)
}

/** What the client library, TLS or the system says: the server has not got to saying anything. */
function unanswered(cause: unknown, target: ConnectionTarget): RowtapError {
  const reason = errorText(cause)
  // The client library itself refuses to go on where the server wants a password and there is none.
  if (/password must be/iu.test(reason)) return noPassword(cause, target)
  if (/password|SASL|SCRAM/iu.test(reason)) return wrongPassword(cause, target)
  const problem = tlsProblem(cause, target.address)
  if (problem !== null) return new RowtapError('ERR_CONNECTION_FAILED', { message: problem, cause })
  const isOfNetwork = /^E[A-Z]/u.test(networkCodeOf(cause)) || /timeout|terminated|ended|connection/iu.test(reason)
  return isOfNetwork
    ? notReachable(cause, target)
    : new RowtapError('ERR_CONNECTION_FAILED', {
        message: `No connection to PostgreSQL at ${target.address}: ${reason}.`,
        cause,
      })
}

/** What the server says. */
function refused(cause: unknown, sqlstate: string, target: ConnectionTarget): RowtapError {
  const { address } = target
  const reason = errorText(cause)
  const [database, user] = [quoteIdentifier(target.database), quoteIdentifier(target.user)]
  const failed = (message: string, retryable = false): RowtapError =>
    new RowtapError('ERR_CONNECTION_FAILED', { message, retryable, cause })
  switch (sqlstate) {
    case '28P01':
      return wrongPassword(cause, target)
    case '28000':
      return notAdmitted(cause, target)
    case '3D000':
      return failed(
        `The server at ${address} has no database ${JSON.stringify(target.database)}: correct the connection string, or run CREATE DATABASE ${database}.`,
      )
    case '42501':
      return new RowtapError('ERR_SETUP_REQUIRED', {
        message: `Role ${user} may not connect to database ${JSON.stringify(target.database)}. Run: GRANT CONNECT ON DATABASE ${database} TO ${user}`,
        cause,
      })
    case '53300':
      return failed(
        `The server at ${address} has no connection free (${reason}): close idle ones, or raise the limit (max_connections, or CONNECTION LIMIT of the role or database).`,
        true,
      )
    // It is copied, restored or moved: whoever did that lets in again.
    case '55000':
      return failed(
        `Database ${JSON.stringify(target.database)} at ${address} takes no connections (${reason}): try again when it does, or run ALTER DATABASE ${database} ALLOW_CONNECTIONS true.`,
        true,
      )
    case '57P01':
    case '57P02':
    case '57P03':
      return failed(`The server at ${address} is starting or stopping (${reason}): try again.`, true)
    default:
      if (sqlstate.startsWith('08')) return notReachable(cause, target)
      return failed(
        `The server at ${address} refused the connection to database ${JSON.stringify(target.database)}: ${reason}.`,
        sqlstate.startsWith('53'),
      )
  }
}

function wrongPassword(cause: unknown, target: ConnectionTarget): RowtapError {
  return notAuthenticated(cause, target, 'correct the user or the password in the connection string')
}

function noPassword(cause: unknown, { address, user }: ConnectionTarget): RowtapError {
  return new RowtapError('ERR_AUTHENTICATION_FAILED', {
    message: `The server at ${address} asks user ${JSON.stringify(user)} for a password, and no password was given: put it into the connection string (postgres://user:password@host:port/database), or into PGPASSWORD.`,
    cause,
  })
}

/** No such role, or no rule in pg_hba.conf that lets it in. */
function notAdmitted(cause: unknown, target: ConnectionTarget): RowtapError {
  const reason = errorText(cause)
  if (!reason.includes('pg_hba.conf')) return wrongPassword(cause, target)
  return notAuthenticated(
    cause,
    target,
    /no encryption|SSL off/u.test(reason)
      ? 'ask for TLS with sslmode=verify-full in the connection string, or let the server’s pg_hba.conf admit the user without'
      : 'correct the user or the database in the connection string, or let the server’s pg_hba.conf admit them',
  )
}

function notAuthenticated(cause: unknown, target: ConnectionTarget, advice: string): RowtapError {
  return new RowtapError('ERR_AUTHENTICATION_FAILED', {
    message: `The server at ${target.address} refused user ${JSON.stringify(target.user)} (${errorText(cause)}): ${advice}.`,
    cause,
  })
}

function notReachable(cause: unknown, target: ConnectionTarget): RowtapError {
  return new RowtapError('ERR_CONNECTION_FAILED', {
    message: `No connection to PostgreSQL at ${target.address} (${errorText(cause)}): check the host and the port, and that the server runs.`,
    retryable: true,
    cause,
  })
}

/** A host with several addresses fails with one error for each. */
function networkCodeOf(error: unknown): string {
  return codeOf(error) === '' && error instanceof AggregateError ? codeOf(error.errors[0]) : codeOf(error)
}
