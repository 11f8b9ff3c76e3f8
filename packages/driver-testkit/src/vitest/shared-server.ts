import type { PostgresSource } from '../postgres/postgres-server.ts'

/** The name under which the global setup provides its address to the test files. */
export const PROVIDED = 'rowtapPostgres'

/** What the global setup answers when a test file asks for a server. */
export type SharedServerAnswer =
  | { readonly kind: 'server'; readonly source: PostgresSource; readonly version: number; readonly url: string }
  | { readonly kind: 'failed'; readonly message: string }

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test file asks for a PostgreSQL server: an address on loopback that ends in a secret. */
    rowtapPostgres: string
  }
}
