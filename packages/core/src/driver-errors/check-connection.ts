import { invalidOptions } from '../options/check-option-names.ts'
import { valueKind } from '../options/value-kind.ts'

/** What the client library reads as a connection string: a URL, or the directory of a Unix socket. */
const CONNECTION_STRING = /^(?:postgres(?:ql)?:\/\/|socket:|\/)/iu

/**
 * Refuses a driver's `connection` that is neither a connection string nor a client configuration. The client library
 * takes any other text for a database's name. The text may hold a password, and is not told.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function checkConnection(factory: string, connection: unknown): void {
  if (typeof connection === 'string') {
    if (connection === '' || CONNECTION_STRING.test(connection)) return
    throw invalidOptions(
      `${factory}: the connection string does not begin with postgres:// — write it as postgres://user:password@host:port/database, or give an object such as { host, user, password, database }.`,
    )
  }
  if (typeof connection === 'object' && connection !== null && !Array.isArray(connection)) {
    const { connectionString }: { readonly connectionString?: unknown } = connection
    if (connectionString !== undefined) checkConnection(factory, connectionString)
    return
  }
  throw invalidOptions(
    `${factory}: connection must be a connection string or an object such as { host, user, password, database }, and not ${valueKind(connection)}.`,
  )
}
