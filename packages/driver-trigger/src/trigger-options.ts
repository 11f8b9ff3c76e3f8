import type { NumberRange, ReconnectOptions, ReconnectPolicy } from '@rowtap/core/driver'
import {
  booleanOption,
  checkConnection,
  checkOptionNames,
  numberOption,
  reconnectPolicy,
  RowtapError,
  wordOption,
} from '@rowtap/core/driver'

/**
 * How to reach the server, where a connection string is not enough: the part of `pg`'s client configuration
 * that a driver needs. Anything else that `pg` understands may be given, too, and is passed on.
 */
export interface PostgresConnection {
  readonly connectionString?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly database?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | (() => string | Promise<string>) | undefined
  readonly ssl?: boolean | object | undefined
  readonly application_name?: string | undefined
  readonly connectionTimeoutMillis?: number | undefined
}

/** Where type parsers come from: the part of `pg`'s `types` that a driver needs. */
export interface PostgresTypes {
  getTypeParser(oid: number, format?: 'text'): (text: string) => unknown
}

/** Bounds of the wait between two looks at the queue, in milliseconds. */
export interface PollIntervalMs {
  /** While changes keep coming. Default: 5. */
  readonly min?: number
  /**
   * While nothing changes. Writers wake an idle reader, so this bounds the delay only where they cannot (a
   * connection pooler that does not pass notifications on, a server with `max_prepared_transactions`). Default: 1000; with
   * `pooler: 'transaction'`, where this is the delay of the first change after a rest, 100.
   */
  readonly max?: number
}

/**
 * How much the queue keeps for a subscription that nobody reads, and for a client that is too slow: one that is beyond the limit
 * for a minute without a break. It is looked after by the clients that run, now and then; writers never wait or fail. What is
 * left out is not limited.
 */
export interface QueueLimit {
  /** How many changes may wait for it: 1 at least. */
  readonly changes?: number
  /** How large the queue may become on the disk, in bytes. Of clients that read, the one that is furthest behind holds it. */
  readonly bytes?: number
  /**
   * How long nobody may read a subscription, in milliseconds, from when a client has noticed it; or how long a client may handle
   * nothing while changes wait for it, a minute at least. 1,000 at least.
   */
  readonly unreadMs?: number
  /**
   * - `'keep'` (default): the changes stay, and the client's signal `wait` tells of it.
   * - `'drop'`: the changes are let go of, beyond a bound that is named with it. The subscription, when it is opened again or at once where it is open, ends with
   *   ERR_POSITION_LOST, or begins anew with a `gap`, as `onPositionLost` says. So does a client without one, with a `gap`.
   */
  readonly policy?: 'keep' | 'drop'
}

/** The limit with every default in place; `null`: there is none. */
export interface ResolvedQueueLimit {
  readonly changes: number | null
  readonly bytes: number | null
  readonly unreadMs: number | null
  readonly policy: 'keep' | 'drop'
}

/** What the trigger driver needs to know. */
export interface TriggerDriverOptions {
  /**
   * A connection string (`postgres://…`), or `pg`'s client configuration. Left out: `PGHOST`, `PGUSER` and the other
   * variables that `pg` knows.
   */
  readonly connection?: string | PostgresConnection | undefined
  /** The parsers that turn a value's text into what rows hold. Default: `pg`'s own, with what was set on it globally. */
  readonly types?: PostgresTypes
  /** The schema that the queue is made in. Applications that name the same schema share it. Default: `'rowtap'`. */
  readonly schema?: string
  /** How long the queue may rest between two looks at it. */
  readonly pollIntervalMs?: PollIntervalMs
  /**
   * How long the queue keeps changes for an ephemeral client that no longer gives a sign of life, in milliseconds.
   * Default: 30,000.
   */
  readonly leaseMs?: number
  /**
   * How a lost connection is made again. A durable subscription goes on without a loss; an ephemeral client does, too, as
   * long as the queue waits for it (`leaseMs`), and otherwise goes on with a `gap`. `false`: it is not, and the client ends
   * with ERR_CONNECTION_LOST.
   */
  readonly reconnect?: ReconnectOptions | false
  /**
   * How long a connection may be silent before it counts as lost, in milliseconds: half as often the server is asked for a
   * sign of life, and once a second at least. A client that waits for a subscription ends the connection of one that has it when the
   * server has heard nothing of that one for so long (3,000 at least). Default: 10,000; at least 100.
   */
  readonly livenessMs?: number
  /**
   * `'transaction'`: between the client and the server is a connection pooler that may give each transaction another
   * connection (PgBouncer with `pool_mode = transaction`, Supavisor on port 6543, RDS Proxy). Then the client leaves nothing
   * in a server's session (no settings, no prepared statements, no LISTEN, no lock), and looks at the queue by itself. For
   * ephemeral clients: a subscription takes a lock for as long as it is connected, and is refused. Left out: there is
   * none, or one that keeps a connection for each client.
   */
  readonly pooler?: 'transaction'
  /** How much the queue keeps for a client that is gone, or too slow. Default: everything. */
  readonly queueLimit?: QueueLimit
  /**
   * What is left to the triggers. `'conditions'`: rows of which no listener wants to hear, of whichever client and subscription,
   * are not captured, where that can be told exactly from columns of plain types; nor are columns that no listener needs,
   * nor operations that none wants. Of tables that are captured by statement. Default: `'off'`.
   */
  readonly pushdown?: 'off' | 'conditions'
  /**
   * Whether to capture what is written under `session_replication_role = replica`, too (by logical replication, or by
   * `pg_restore --disable-triggers` in that mode). Takes the tables' owner. Default: false.
   */
  readonly enableAlways?: boolean
}

/** The options with every default in place. */
export interface ResolvedTriggerOptions {
  readonly connection: string | PostgresConnection
  readonly types: PostgresTypes | null
  readonly schema: string
  readonly pollMinMs: number
  readonly pollMaxMs: number
  readonly leaseMs: number
  /** `null`: a lost connection is the session's end. */
  readonly reconnect: ReconnectPolicy | null
  readonly livenessMs: number
  /** `null`: nothing that matters is between the client and the server. */
  readonly pooler: 'transaction' | null
  readonly queueLimit: ResolvedQueueLimit
  readonly pushdown: 'off' | 'conditions'
  readonly enableAlways: boolean
}

// PostgreSQL cuts names at 63 bytes; the names of the triggers are made from the schema's.
const maximalSchemaBytes = 50

const DAY_MS = 86_400_000

/** What was given the options, for messages. */
const WHERE = 'triggerDriver()'

const NAMES = [
  'connection',
  'types',
  'schema',
  'pollIntervalMs',
  'leaseMs',
  'reconnect',
  'livenessMs',
  'pooler',
  'queueLimit',
  'pushdown',
  'enableAlways',
]

/**
 * Puts the defaults in place.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function resolveTriggerOptions(options: TriggerDriverOptions): ResolvedTriggerOptions {
  checkOptionNames(WHERE, options, NAMES)
  const { connection = {}, types, schema = 'rowtap', queueLimit = {} } = options
  const reconnect = reconnectPolicy('triggerDriver', options.reconnect)
  checkConnection('triggerDriver', connection)
  if (types !== undefined && typeof types?.getTypeParser !== 'function') {
    throw invalid('types must be an object with the function getTypeParser, such as the types of pg.')
  }
  const bytes = typeof schema === 'string' ? Buffer.byteLength(schema) : 0
  if (bytes === 0 || bytes > maximalSchemaBytes || schema.includes('\0') || schema.startsWith('pg_')) {
    throw invalid(`schema must have 1 to ${maximalSchemaBytes} bytes and must not begin with pg_.`)
  }
  const pooler = wordOption(WHERE, 'pooler', options.pooler, null, ['transaction'])
  const { pollMinMs, pollMaxMs } = pollBounds(
    options.pollIntervalMs === undefined ? {} : options.pollIntervalMs,
    pooler,
  )
  return {
    connection,
    types: types ?? null,
    schema,
    pollMinMs,
    pollMaxMs,
    leaseMs: milliseconds('leaseMs', options.leaseMs, 30_000, { least: 1000, most: DAY_MS }),
    reconnect,
    livenessMs: milliseconds('livenessMs', options.livenessMs, 10_000, { least: 100, most: DAY_MS }),
    pooler,
    pushdown: wordOption(WHERE, 'pushdown', options.pushdown, 'off', ['off', 'conditions']),
    queueLimit: resolveQueueLimit(queueLimit),
    enableAlways: booleanOption(WHERE, 'enableAlways', options.enableAlways),
  }
}

function pollBounds(
  given: PollIntervalMs,
  pooler: ResolvedTriggerOptions['pooler'],
): Pick<ResolvedTriggerOptions, 'pollMinMs' | 'pollMaxMs'> {
  checkOptionNames(`${WHERE}: 'pollIntervalMs'`, given, ['min', 'max'])
  const most = 3_600_000
  const pollMinMs = milliseconds('pollIntervalMs.min', given.min, Math.min(5, given.max ?? 5), { least: 1, most })
  const longestMs = pooler === null ? 1000 : 100
  const pollMaxMs = milliseconds('pollIntervalMs.max', given.max, Math.max(longestMs, pollMinMs), {
    least: given.min === undefined ? 1 : pollMinMs,
    most,
  })
  return { pollMinMs, pollMaxMs }
}

function resolveQueueLimit(limit: QueueLimit): ResolvedQueueLimit {
  checkOptionNames(`${WHERE}: 'queueLimit'`, limit, ['changes', 'bytes', 'unreadMs', 'policy'])
  const bound = (option: 'changes' | 'bytes' | 'unreadMs', range: NumberRange): number | null =>
    numberOption(WHERE, `queueLimit.${option}`, limit[option], null, { ...range, isWhole: true })
  const changes = bound('changes', { least: 1 })
  const bytes = bound('bytes', { least: 1, of: 'bytes' })
  const unreadMs = bound('unreadMs', { least: 1000, of: 'milliseconds' })
  const policy = wordOption(WHERE, 'queueLimit.policy', limit.policy, 'keep', ['keep', 'drop'])
  if (policy === 'drop' && changes === null && bytes === null && unreadMs === null) {
    throw invalid(`'queueLimit.policy' 'drop' means nothing without 'changes', 'bytes' or 'unreadMs'.`)
  }
  return { changes, bytes, unreadMs, policy }
}

function milliseconds(option: string, given: unknown, preset: number, range: NumberRange): number {
  return numberOption(WHERE, option, given, preset, { ...range, of: 'milliseconds' })
}

function invalid(message: string): RowtapError {
  return new RowtapError('ERR_INVALID_OPTIONS', { message: `${WHERE}: ${message}` })
}
