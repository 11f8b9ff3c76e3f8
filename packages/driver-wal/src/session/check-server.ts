import { quoteIdentifier, RowtapError } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { isCountedAsStandby, READER_NAME } from '../connection/synchronous-standbys.ts'

const OLDEST_VERSION = 140_000

const SERVER = `
SELECT
  current_setting('server_version_num') AS version,
  current_setting('server_version') AS version_name,
  current_setting('wal_level') AS wal_level,
  current_setting('synchronous_standby_names') AS standbys,
  ${READER_NAME} AS reader,
  pg_is_in_recovery() AS standby,
  current_database() AS database,
  current_user AS role,
  has_database_privilege(current_database(), 'CREATE') AS may_create`

/**
 * Checks what can be checked without a table.
 *
 * @returns the server's version, as `server_version_num` has it.
 * @throws RowtapError ERR_SETUP_REQUIRED with the statement that helps.
 */
export async function checkServer(control: ControlConnection): Promise<number> {
  const [server] = await control.query<
    'version' | 'version_name' | 'wal_level' | 'standbys' | 'reader' | 'standby' | 'database' | 'role' | 'may_create'
  >(SERVER)
  const version = Number(server?.version)
  if (version < OLDEST_VERSION)
    throw setupRequired(`PostgreSQL 14 or later is needed, and the server is ${server?.version_name}.`)
  if (server?.wal_level !== 'logical') {
    throw setupRequired(
      `The server's wal_level is ${server?.wal_level}, and must be logical. Run: ALTER SYSTEM SET wal_level = 'logical' — and restart the server.`,
    )
  }
  if (server.standby === 't')
    throw setupRequired(`The server is a standby, where no publication can be made: connect to the primary.`, true)
  const counted = countedAsStandby(server.standbys ?? '', server.reader ?? '')
  if (counted !== null) throw counted
  if (server.may_create !== 't') {
    throw setupRequired(
      `Role ${quoteIdentifier(server.role ?? '')} may not make a publication in database ${JSON.stringify(server.database)}. ` +
        `Run: GRANT CREATE ON DATABASE ${quoteIdentifier(server.database ?? '')} TO ${quoteIdentifier(server.role ?? '')}`,
    )
  }
  return version
}

/**
 * Why a server that takes whoever reads changes for a standby is not used; `null` where it does not.
 *
 * @param setting its `synchronous_standby_names`.
 * @param reader the name of the connection that changes come through.
 */
export function countedAsStandby(setting: string, reader: string): RowtapError | null {
  if (!isCountedAsStandby(setting, reader)) return null
  return setupRequired(
    `The server's synchronous_standby_names is ${setting}, which takes whoever reads changes for a standby: commits would wait for handlers. ` +
      `Name the standbys one by one. Run: ALTER SYSTEM SET synchronous_standby_names = '…'; SELECT pg_reload_conf()`,
    true,
  )
}

/** @param retryable the setting may be mended soon, a standby be the primary, or the address lead to another server. */
function setupRequired(message: string, retryable = false): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', { message, retryable })
}
