import type { Driver, DriverHost, DriverSession } from '@rowtap/core/driver'
import {
  booleanOption,
  checkConnection,
  checkOptionNames,
  numberOption,
  reconnectPolicy,
  RowtapError,
  wordOption,
} from '@rowtap/core/driver'
import { checkStreamingOptions } from './replication/streaming/streaming-options.ts'
import { DEFAULT_LIVENESS_MS } from './session/link.ts'
import { openWalSession } from './session/open-wal-session.ts'
import type { WalCapabilities } from './wal-capabilities.ts'
import { walCapabilities } from './wal-capabilities.ts'
import type { WalDriverOptions } from './wal-driver-options.ts'

/** What was given the options, for messages. */
const WHERE = 'walDriver()'

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
  checkOptionNames(WHERE, options, NAMES)
  const { connection = {} } = options
  checkConnection('walDriver', connection)
  checkStreamingOptions(options)
  reconnectPolicy('walDriver', options.reconnect)
  numberOption(WHERE, 'livenessMs', options.livenessMs, DEFAULT_LIVENESS_MS, {
    least: 100,
    most: 86_400_000,
    of: 'milliseconds',
  })
  booleanOption(WHERE, 'failover', options.failover)
  wordOption(WHERE, 'replicaIdentity', options.replicaIdentity, null, ['full'])
  wordOption(WHERE, 'pushdown', options.pushdown, 'off', ['off', 'inserts'])
  if (options.types !== undefined && typeof options.types?.getTypeParser !== 'function') {
    throw new RowtapError('ERR_INVALID_OPTIONS', {
      message: 'walDriver(): types must be an object with the function getTypeParser, such as the types of pg.',
    })
  }
  return {
    specification: 1,
    name: 'wal',
    capabilities: walCapabilities,
    open: (host: DriverHost): Promise<DriverSession> => openWalSession(options, host),
  }
}
