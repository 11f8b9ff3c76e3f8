/** What a keeper is told on the first line of its standard input. */
export interface KeeperRequest {
  readonly version: number
  readonly initdb: string
  readonly postgres: string
  readonly settings: Readonly<Record<string, string>>
  readonly password: string
  /** The server to begin as a standby of; left out: it begins with a cluster of its own. */
  readonly primary?: PrimaryServer
}

/** A running server that another one follows. */
export interface PrimaryServer {
  /** A superuser's connection string. */
  readonly url: string
  readonly dataDirectory: string
}

/**
 * What a keeper is told on later lines: to stop the server and end, or to start it again at the same port. The end of its
 * input means the same as stop `'immediate'`.
 */
export type KeeperCommand = { readonly stop: 'fast' | 'immediate' } | { readonly restart: 'fast' | 'immediate' }

/** What a keeper answers on its standard output: once, and after each restart. */
export type KeeperAnswer =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'failed'; readonly message: string }

/** The name of the superuser. */
export const SUPERUSER = 'postgres'
