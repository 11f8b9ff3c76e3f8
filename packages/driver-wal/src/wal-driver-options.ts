import type { ReconnectOptions } from '@rowtap/core/driver'
import type { ConnectionOptions } from 'node:tls'

/** The subset of `pg`'s client configuration that the driver uses. A `pg` configuration can be given as it is. */
export interface WalConnectionOptions {
  readonly connectionString?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly user?: string | undefined
  readonly password?: string | (() => string | Promise<string>) | undefined
  readonly database?: string | undefined
  readonly ssl?: boolean | ConnectionOptions | undefined
  readonly options?: string | undefined
  /** Default: `rowtap`. */
  readonly application_name?: string | undefined
  /** How long making a connection may take, in milliseconds. Default: 10,000. */
  readonly connectionTimeoutMillis?: number | undefined
}

/** Finds the function that turns a value's text into what a program sees, as `pg`'s `types` does. */
export interface TypeParsers {
  /** The parser for a type's object id. */
  getTypeParser(oid: number, format?: 'text'): (text: string) => unknown
}

/** How the driver connects. */
export interface WalDriverOptions {
  /**
   * A connection string, or what `new pg.Client()` takes. Left out: `PGHOST`, `PGUSER` and the other variables that
   * `pg` knows. Two connections are made: one for changes, one for set-up.
   */
  readonly connection?: string | WalConnectionOptions | undefined
  /** How values are parsed. Default: `pg`'s own `types`, with whatever `pg.types.setTypeParser` was told before. */
  readonly types?: TypeParsers
  /**
   * How a lost connection is made again. A durable subscription goes on without a loss; an ephemeral client goes on with
   * a `gap`. `false`: it is not, and the client ends with ERR_CONNECTION_LOST.
   */
  readonly reconnect?: ReconnectOptions | false
  /**
   * How long a connection may be silent before the server is asked for a sign of life, in milliseconds; when none comes
   * for as long again, the connection is lost. Never more than half of the server's `wal_sender_timeout`. Default: 10,000; at least 100.
   */
  readonly livenessMs?: number
  /**
   * Makes the slot of a durable subscription with the FAILOVER flag, so that the server's standbys can hold a copy of it
   * (`sync_replication_slots`). PostgreSQL 17 and later. Default: false.
   */
  readonly failover?: boolean
  /**
   * `'full'`: tables whose updates or deletes are captured are given full replica identity where they have another one,
   * so that old rows are whole: `ALTER TABLE … REPLICA IDENTITY FULL`, for partitions one by one. It makes their updates
   * and deletes write more of the log. It stays when the client closes: nobody knows what it was before. Left out: the
   * identity of a table is never changed.
   */
  readonly replicaIdentity?: 'full'
  /**
   * `'inserts'`: of tables of which only inserts (and truncates) are wanted, the server sends the rows alone of which some
   * listener's condition is true, where it can test that, and the columns alone that some listener needs. PostgreSQL 15 and
   * later; otherwise it makes no difference. What is delivered is the same, but for a subscription that is opened with
   * listeners that want more than those before: what was left out until then is told by a `gap`.
   *
   * As long as it is so, PostgreSQL refuses to drop, or to change the type of, the columns that listeners name, and the key:
   * that is why it has to be asked for. The application's own inserts, updates and deletes are never concerned. Default: `'off'`.
   */
  readonly pushdown?: 'off' | 'inserts'
  /**
   * Whether the server sends a large transaction while it is still open (`'on'`), and not after its commit (`'off'`, the
   * default). What is delivered is the same: `'on'` has the work done by the time of the commit, so that a large
   * transaction arrives sooner after it, and moves the disk space that it needs until then from the server to here.
   *
   * PostgreSQL up to 18 fails to stream a transaction that alters a table, rolls that back to a savepoint and writes to the
   * table again (`could not map filenumber`): the connection after that is made without streaming.
   */
  readonly streaming?: 'on' | 'off'
  /** With `streaming: 'on'`: how much memory open transactions may take, in bytes, and one of them 8 MiB of it at most. What is more is written to files. Default: 64 MiB. */
  readonly streamingBufferBytes?: number
  /**
   * With `streaming: 'on'`: the directory for those files, which is better none in memory (tmpfs). They are gone when the
   * program ends, in whatever way. Default: the system's directory for temporary files.
   */
  readonly spillDirectory?: string
}
