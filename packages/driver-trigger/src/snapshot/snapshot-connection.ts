import { Interruption, RowtapError } from '@rowtap/core/driver'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '../connection/connection.ts'

/** How long a connection that nobody uses is kept, in milliseconds. */
const IDLE_MS = 5000
/** How long to wait before a call is run again whose connection was lost. */
const PAUSE_MS = 100

/** The connections that a session captures with. */
export interface SnapshotLink {
  /** What a piece of work comes to, unless they are lost first. */
  unlessLost<T>(work: () => Promise<T>): Promise<T>
}

/** What a {@link SnapshotConnection} works with. */
export interface SnapshotConnectionParts {
  readonly connect: () => Promise<Connection>
  /** The session's link as soon as there is one. Rejects where there will be none. */
  readonly link: () => Promise<SnapshotLink>
  /** Aborted when the session ends. */
  readonly signal: AbortSignal
}

/**
 * A connection for reading tables: made when it is needed, closed when it is not, and made anew when it is lost. Calls are
 * run one at a time.
 */
export class SnapshotConnection {
  readonly #parts: SnapshotConnectionParts
  readonly #end = new Interruption()
  #open: Connection | null = null
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #idle: NodeJS.Timeout | null = null

  constructor(parts: SnapshotConnectionParts) {
    this.#parts = parts
    parts.signal.addEventListener('abort', () => this.#end.interrupt(closed()), { once: true })
  }

  /**
   * Runs a call, from its beginning again on another connection where its own is lost.
   *
   * @throws RowtapError
   */
  run<T>(call: (connection: Connection) => Promise<T>): Promise<T> {
    this.#waiting += 1
    if (this.#idle !== null) clearTimeout(this.#idle)
    const result = this.#turn.then(() => this.#untilDone(call))
    this.#turn = result
      .catch(() => undefined)
      .then(() => {
        this.#waiting -= 1
        if (this.#waiting > 0) return
        this.#idle = setTimeout(() => {
          // Whatever goes wrong with it now, nobody needs it any more.
          this.close().catch(() => undefined)
        }, IDLE_MS)
      })
    return result
  }

  /** Disconnects. Another call would connect again. */
  async close(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle)
    const open = this.#open
    this.#open = null
    // What is under way at the session's end is not waited for.
    if (this.#parts.signal.aborted && this.#waiting > 0) open?.drop(closed())
    else await open?.close()
  }

  async #untilDone<T>(call: (connection: Connection) => Promise<T>): Promise<T> {
    const { signal } = this.#parts
    for (;;) {
      if (signal.aborted) throw closed()
      const link = await this.#parts.link()
      try {
        // A server that is gone is found on the connections of the link.
        return await link.unlessLost(() => this.#end.unless(() => this.#connected().then(call)))
      } catch (error) {
        // The server may be in the middle of it: on this connection nothing can follow.
        this.#open?.drop(error instanceof Error ? error : closed())
        this.#open = null
        if (signal.aborted || !isPassing(error)) throw error
        await sleep(PAUSE_MS)
      }
    }
  }

  async #connected(): Promise<Connection> {
    if (this.#open !== null && !this.#open.ended.aborted) return this.#open
    const open = await this.#parts.connect()
    this.#open = open
    return open
  }
}

function isPassing(error: unknown): boolean {
  return (
    RowtapError.is(error) &&
    error.retryable &&
    (error.code === 'ERR_CONNECTION_LOST' || error.code === 'ERR_CONNECTION_FAILED')
  )
}

function closed(): RowtapError {
  return new RowtapError('ERR_CLOSED', { message: 'The session is closed.' })
}
