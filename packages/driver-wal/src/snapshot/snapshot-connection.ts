import type { TypeParsers } from '../wal-driver-options.ts'
import type { ClientConfig } from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectError, Interruption, isWorthTrying, RowtapError } from '@rowtap/core/driver'
import type { DeliveredNames } from '../catalog/relation-registry.ts'
import { RelationRegistry } from '../catalog/relation-registry.ts'
import type { ControlConnection } from '../connection/control-connection.ts'
import { databaseError } from '../errors/database-error.ts'
import type { Link } from '../session/link.ts'
import { controlConnection } from '../session/open-link.ts'

/** How long a connection that nobody uses is kept, in milliseconds. */
const IDLE_MS = 5000
/** How long to wait before a call is run again whose connection was lost. */
const PAUSE_MS = 100

/** What a {@link SnapshotConnection} works with. */
export interface SnapshotConnectionParts {
  readonly config: ClientConfig
  readonly types: TypeParsers
  readonly names: DeliveredNames
  /** The session's link as soon as there is one. Rejects where there will be none. */
  readonly link: () => Promise<Pick<Link, 'unlessLost'>>
  /** Aborted when the session ends. */
  readonly signal: AbortSignal
}

/** A connection with what is known of the catalogue by it. */
export interface OpenSnapshotConnection {
  readonly control: ControlConnection
  readonly relations: RelationRegistry
}

/**
 * A connection for reading tables: made when it is needed, closed when it is not, and made anew when it is lost. Calls are
 * run one at a time.
 */
export class SnapshotConnection {
  readonly #parts: SnapshotConnectionParts
  readonly #end = new Interruption()
  #open: OpenSnapshotConnection | null = null
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
  run<T>(doing: string, call: (open: OpenSnapshotConnection) => Promise<T>): Promise<T> {
    this.#waiting += 1
    if (this.#idle !== null) clearTimeout(this.#idle)
    const result = this.#turn.then(() => this.#untilDone(doing, call))
    this.#turn = result
      .catch(() => undefined)
      .then(() => {
        this.#waiting -= 1
        if (this.#waiting === 0) this.#idle = setTimeout(() => void this.close(), IDLE_MS)
      })
    return result
  }

  /** Disconnects. Another call would connect again. */
  async close(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle)
    const open = this.#open
    this.#open = null
    await open?.control.end()
  }

  async #untilDone<T>(doing: string, call: (open: OpenSnapshotConnection) => Promise<T>): Promise<T> {
    const { signal } = this.#parts
    for (;;) {
      if (signal.aborted) throw closed()
      const link = await this.#parts.link()
      try {
        // A server that is gone is found on the connections of the link.
        return await link.unlessLost(() => this.#end.unless(() => this.#connected().then(call)))
      } catch (error) {
        const reason = databaseError(error, doing)
        // The server may be in the middle of it: on this connection nothing can follow.
        await this.close()
        if (signal.aborted || !isPassing(reason)) throw reason
        await sleep(PAUSE_MS)
      }
    }
  }

  async #connected(): Promise<OpenSnapshotConnection> {
    if (this.#open !== null) return this.#open
    const { config, types, names } = this.#parts
    const control = controlConnection(config)
    try {
      await control.connect()
    } catch (error) {
      await control.end()
      throw connectError(error, control)
    }
    control.lost.catch(() => {
      if (this.#open?.control === control) this.#open = null
    })
    this.#open = { control, relations: new RelationRegistry(control, types, names) }
    return this.#open
  }
}

/** A catalogue, or the table, is somebody else's for the moment. */
const LOCKED: ReadonlySet<string> = new Set(['55P03'])

function isPassing(reason: RowtapError): boolean {
  return isWorthTrying(reason, LOCKED)
}

function closed(): RowtapError {
  return new RowtapError('ERR_CLOSED', { message: 'The session is closed.' })
}
