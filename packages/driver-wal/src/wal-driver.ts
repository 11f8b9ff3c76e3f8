import type { Driver, DriverHost, DriverSession } from '@rowtap/core/driver'
import { checkConnection, checkOptionNames, reconnectPolicy, RowtapError } from '@rowtap/core/driver'
import { checkStreamingOptions } from './replication/streaming/streaming-options.ts'
import { DEFAULT_LIVENESS_MS } from './session/link.ts'
import { openWalSession } from './session/open-wal-session.ts'
import type { WalCapabilities } from './wal-capabilities.ts'
import { walCapabilities } from './wal-capabilities.ts'
import type { WalDriverOptions } from './wal-driver-options.ts'

const NAMES = [
  'connection',
  'types',
  'reconnect',
  'livenessMs',
  'failover',
  'replicaIdentity',
  'pushdown',
  'streaming',
  'streamingBufferBytes',
  'spillDirectory',
]

/**
 * Captures changes from PostgreSQL's write-ahead log, through logical replication.
 *
 * It needs PostgreSQL 14 or later with `wal_level = logical`, and a role that may replicate, create publications
 * and owns the tables. Nothing is connected before the driver is opened.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS for an option that it does not have, or that has no value that it can have, and
 *   for a connection that is none.
 */
export function walDriver(options: WalDriverOptions = {}): Driver<WalCapabilities> {
  checkOptionNames('walDriver()', options, NAMES)
  const { connection = {} } = options
  checkConnection('walDriver', connection)
  checkStreamingOptions(options)
  reconnectPolicy('walDriver', options.reconnect)
  const { livenessMs = DEFAULT_LIVENESS_MS, failover = false, replicaIdentity = 'full' } = options
  if (typeof livenessMs !== 'number' || !(livenessMs > 0)) {
    throw new RowtapError('ERR_INVALID_OPTIONS', { message: `walDriver: livenessMs is a number of milliseconds.` })
  }
  if (typeof failover !== 'boolean') {
    throw new RowtapError('ERR_INVALID_OPTIONS', { message: `walDriver: failover is true or false.` })
  }
  if (replicaIdentity !== 'full') {
    throw new RowtapError('ERR_INVALID_OPTIONS', {
      message: `walDriver: replicaIdentity is 'full', or left out.`,
    })
  }
  if (options.types !== undefined && typeof options.types?.getTypeParser !== 'function') {
    throw new RowtapError('ERR_INVALID_OPTIONS', {
      message: 'types must be an object with the function getTypeParser, such as the types of pg.',
    })
  }
  if (!['off', 'inserts'].includes(options.pushdown ?? 'off')) {
    throw new RowtapError('ERR_INVALID_OPTIONS', { message: `walDriver: pushdown is 'off' or 'inserts'.` })
  }
  return {
    specification: 1,
    name: 'wal',
    capabilities: walCapabilities,
    open: (host: DriverHost): Promise<DriverSession> => openWalSession(options, host),
  }
}
