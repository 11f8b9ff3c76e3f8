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
}
