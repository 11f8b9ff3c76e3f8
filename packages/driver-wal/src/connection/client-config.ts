import type { ClientConfig, CustomTypesConfig } from 'pg'
import type { WalConnectionOptions } from '../wal-driver-options.ts'

const DEFAULT_CONNECTION_TIMEOUT_MS = 10_000

/**
 * Every value as text: what the driver asks the catalogue must not depend on the parsers that the program
 * registered for its own rows.
 */
const textOnly: CustomTypesConfig = { getTypeParser: () => (value: unknown) => value }

/** The configuration of both connections. */
export function clientConfig(connection: string | WalConnectionOptions = {}): ClientConfig {
  const given = typeof connection === 'string' ? { connectionString: connection } : connection
  return {
    ...given,
    application_name: given.application_name ?? 'rowtap',
    connectionTimeoutMillis: given.connectionTimeoutMillis ?? DEFAULT_CONNECTION_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: textOnly,
  }
}
