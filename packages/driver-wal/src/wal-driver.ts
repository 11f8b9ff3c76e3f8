import type { Driver, DriverHost, DriverSession } from '@rowtap/core/driver'
import { checkConnection, checkOptionNames } from '@rowtap/core/driver'
import { openWalSession } from './session/open-wal-session.ts'
import type { WalCapabilities } from './wal-capabilities.ts'
import { walCapabilities } from './wal-capabilities.ts'
import type { WalDriverOptions } from './wal-driver-options.ts'

/**
 * Captures changes from PostgreSQL's write-ahead log, through logical replication.
 *
 * It needs PostgreSQL 14 or later with `wal_level = logical`, and a role that may replicate, create publications
 * and owns the tables. Nothing is connected before the driver is opened.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS for an option that it does not have, and a connection that is none.
 */
export function walDriver(options: WalDriverOptions = {}): Driver<WalCapabilities> {
  checkOptionNames('walDriver()', options, ['connection', 'types'])
  const { connection = {} } = options
  checkConnection('walDriver', connection)
  return {
    specification: 1,
    name: 'wal',
    capabilities: walCapabilities,
    open: (host: DriverHost): Promise<DriverSession> => openWalSession(options, host),
  }
}
