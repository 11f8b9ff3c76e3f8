import type { CreateDatabaseOptions, TestDatabase } from './test-database.ts'

/** Where a server comes from: a URL in the environment, Docker, or binaries that npm installed. */
export type PostgresSource = 'url' | 'docker' | 'embedded'

/** The major versions that rowtap is tested on, oldest first. */
export const POSTGRES_VERSIONS: readonly [14, 15, 16, 17, 18] = [14, 15, 16, 17, 18]

/** One of {@link POSTGRES_VERSIONS}. */
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number]

/** How a server is stopped: `'fast'` ends its sessions in an orderly way, `'immediate'` drops everything. */
export type StopMode = 'fast' | 'immediate'

/** What {@link startPostgres} takes. Everything may be left out. */
export interface StartPostgresOptions {
  /** The major version. Default: 18, or that of the server in `ROWTAP_POSTGRES_URL`. */
  readonly version?: PostgresVersion
  /** Server settings on top of the kit's own, which switch on logical replication. With any, a server from the environment is not used. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** The sources to try, in this order. Default: `['url', 'docker', 'embedded']`. */
  readonly sources?: readonly PostgresSource[]
  /**
   * The running server of the source `'embedded'` to follow: the new one begins as a standby of it, with everything that it
   * holds. `pg_promote()` makes it a primary of its own. It has the version and the superuser of the other one.
   */
  readonly standbyOf?: PostgresServer
  /** Gives up starting. */
  readonly signal?: AbortSignal
}

/** A running PostgreSQL server. Disposing of it stops it. */
export interface PostgresServer extends AsyncDisposable {
  /** The server's major version. */
  readonly version: number
  /** A superuser's connection string. It holds a password: do not print it. */
  readonly url: string
  readonly source: PostgresSource
  /** Creates an empty database, or a copy of another one. */
  createDatabase(options?: CreateDatabaseOptions): Promise<TestDatabase>
  /**
   * Stops the server, and starts it again at the same address with everything that it holds. Default: `'fast'`.
   * Only a server of the source `'embedded'` can: others reject with ERR_SETUP_REQUIRED.
   */
  restart(mode?: StopMode): Promise<void>
  /**
   * Stops the server and removes everything that it put on the disk. A server from the environment goes on running.
   * Default: `'fast'`, and `'immediate'` when that has not finished after five seconds. Later calls return the first one's promise.
   */
  stop(mode?: StopMode): Promise<void>
}
