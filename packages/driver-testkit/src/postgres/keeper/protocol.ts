/** What a keeper is told on the first line of its standard input. */
export interface KeeperRequest {
  readonly version: number
  readonly initdb: string
  readonly postgres: string
  readonly settings: Readonly<Record<string, string>>
  readonly password: string
}

/** What a keeper is told on later lines. The end of its input means the same as `'immediate'`. */
export interface KeeperCommand {
  readonly stop: 'fast' | 'immediate'
}

/** What a keeper answers, once, on its standard output. */
export type KeeperAnswer =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'failed'; readonly message: string }

/** The name of the superuser. */
export const SUPERUSER = 'postgres'
