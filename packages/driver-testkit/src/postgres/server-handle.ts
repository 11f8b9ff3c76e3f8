import type { PostgresSource, StopMode } from './postgres-server.ts'

/** A server as its source knows it. */
export interface ServerHandle {
  readonly source: PostgresSource
  readonly version: number
  readonly url: string
  stop(mode: StopMode): Promise<void>
  /** Left out: the source cannot start a server again. */
  restart?(mode: StopMode): Promise<void>
}
