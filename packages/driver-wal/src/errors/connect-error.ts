import { quoteIdentifier, RowtapError } from '@rowtap/core/driver'
import { messageOf, sqlstateOf } from './database-error.ts'
import { sqlstateMeaning } from './sqlstate-codes.ts'

/** Whom a connection was for, as far as a message may say. */
export interface ConnectionTarget {
  /** Host and port. */
  readonly address: string
  readonly database: string
  readonly user: string
}

/** A connection string that cannot be read. It may hold a password, and so may the error: neither is told. */
export function connectionUnreadable(error: unknown): RowtapError {
  const isFile = error instanceof Error && 'syscall' in error
  return new RowtapError('ERR_INVALID_OPTIONS', {
    message: isFile
      ? `walDriver: a file that the connection names cannot be read (${error.message}).`
      : `walDriver: the connection string cannot be read: write it as postgres://user:password@host:port/database, with other characters than letters and digits percent-encoded.`,
  })
}

/** An error while the control connection was made. */
export function connectError(error: unknown, target: ConnectionTarget): RowtapError {
  if (RowtapError.is(error)) return error
  const sqlstate = sqlstateOf(error)
  if (sqlstate === null) {
    // `pg` itself refuses to go on where the server wants a password and there is none.
    const isPassword = /password|SASL|SCRAM/i.test(messageOf(error))
    return isPassword ? authenticationFailed(error, target) : notReachable(error, target)
  }
  const meaning = sqlstateMeaning(sqlstate)
  if (meaning?.code === 'ERR_AUTHENTICATION_FAILED') return authenticationFailed(error, target)
  if (meaning?.code === 'ERR_CONNECTION_LOST') return notReachable(error, target)
  if (sqlstate === '3D000') {
    return new RowtapError('ERR_CONNECTION_FAILED', {
      message: `The server at ${target.address} has no database ${JSON.stringify(target.database)}: correct the connection string, or run CREATE DATABASE ${quoteIdentifier(target.database)}.`,
      cause: error,
    })
  }
  return new RowtapError(meaning?.code === 'ERR_SETUP_REQUIRED' ? 'ERR_SETUP_REQUIRED' : 'ERR_CONNECTION_FAILED', {
    message: `The server at ${target.address} refused the connection to database ${JSON.stringify(target.database)}: ${messageOf(error)}.`,
    retryable: meaning?.retryable ?? false,
    cause: error,
  })
}

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
        message: `The server has no replication connection free (${messageOf(error)}). Run: ALTER SYSTEM SET max_wal_senders = … with a higher number, and restart the server.`,
        retryable: true,
        cause: error,
      })
    default:
      return connectError(error, target)
  }
}

function authenticationFailed(cause: unknown, target: ConnectionTarget): RowtapError {
  return new RowtapError('ERR_AUTHENTICATION_FAILED', {
    message: `The server at ${target.address} refused user ${JSON.stringify(target.user)} (${messageOf(cause)}): correct the user or the password in the connection string.`,
    cause,
  })
}

function notReachable(cause: unknown, target: ConnectionTarget): RowtapError {
  return new RowtapError('ERR_CONNECTION_FAILED', {
    message: `No connection to PostgreSQL at ${target.address} (${messageOf(cause)}): check the host and the port, and that the server runs.`,
    retryable: true,
    cause,
  })
}
