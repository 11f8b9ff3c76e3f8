import { checkConnection, checkOptionNames, RowtapError } from '@rowtap/core/driver'

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
   * connection pooler that does not pass notifications on, a server with `max_prepared_transactions`). Default: 1000.
   */
  readonly max?: number
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
  readonly enableAlways: boolean
}

// PostgreSQL cuts names at 63 bytes; the names of the triggers are made from the schema's.
const maximalSchemaBytes = 50

const NAMES = ['connection', 'types', 'schema', 'pollIntervalMs', 'leaseMs', 'enableAlways']

/**
 * Puts the defaults in place.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function resolveTriggerOptions(options: TriggerDriverOptions): ResolvedTriggerOptions {
  checkOptionNames('triggerDriver()', options, NAMES)
  const { connection = {}, types, schema = 'rowtap', pollIntervalMs, leaseMs = 30_000, enableAlways = false } = options
  if (pollIntervalMs !== undefined) checkOptionNames(`'pollIntervalMs'`, pollIntervalMs, ['min', 'max'])
  const { min: pollMinMs = 5, max: pollMaxMs = Math.max(1000, pollIntervalMs?.min ?? 0) } = pollIntervalMs ?? {}
  checkConnection('triggerDriver', connection)
  const bytes = Buffer.byteLength(schema)
  if (bytes === 0 || bytes > maximalSchemaBytes || schema.includes('\0') || schema.startsWith('pg_')) {
    throw invalid(`schema must have 1 to ${maximalSchemaBytes} bytes and must not begin with pg_.`)
  }
  if (!(pollMinMs >= 1) || !(pollMaxMs >= pollMinMs) || !(pollMaxMs <= 3_600_000)) {
    throw invalid('pollIntervalMs must have 1 <= min <= max <= 3600000.')
  }
  if (!(leaseMs >= 1000) || !(leaseMs <= 86_400_000)) {
    throw invalid('leaseMs must be between 1000 and 86400000.')
  }
  if (typeof enableAlways !== 'boolean') throw invalid('enableAlways must be true or false.')
  return { connection, types: types ?? null, schema, pollMinMs, pollMaxMs, leaseMs, enableAlways }
}

function invalid(message: string): RowtapError {
  return new RowtapError('ERR_INVALID_OPTIONS', { message: `triggerDriver: ${message}` })
}
