import type { ControlConnection } from '../connection/control-connection.ts'
import type { SocketReader } from '../replication/socket-reader.ts'
import { SENDER_STATE } from './session-sql.ts'

/** What a {@link StreamLiveness} works with. */
export interface StreamLivenessParts {
  readonly control: ControlConnection
  readonly reader: SocketReader
  /** The process of the server that sends the changes. */
  readonly processId: number
  readonly livenessMs: number
  /** Asks the server for a sign of life. */
  readonly ask: () => void
  /** The connection is lost. */
  readonly lose: (error: Error) => void
}

/**
 * Finds a stream whose other end is gone without a word. Silence alone does not say so: a server that works through a
 * long transaction of which nothing is wanted may be silent for minutes.
 *
 * ```
 * heard ──silent──▶ asked ──silent for as long again──▶ what does its process do? ──nothing, or gone──▶ lost
 *   ▲                                                             └──it works──▶ asked
 *   └── anything arrives, or the reading is held back
 * ```
 */
export class StreamLiveness {
  readonly #parts: StreamLivenessParts
  #timer: NodeJS.Timeout | null = null
  #askedAt: number | null = null
  #isStopped = false

  constructor(parts: StreamLivenessParts) {
    this.#parts = parts
  }

  /** Watches from now on. */
  start(): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      // What goes wrong here is the control connection's loss, which is told there.
      void this.#look()
        .catch(() => undefined)
        .then(() => this.start())
    }, this.#parts.livenessMs / 4)
  }

  /** Watches no more. */
  stop(): void {
    this.#isStopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    const { livenessMs, ask, lose } = this.#parts
    const now = performance.now()
    if (!this.#isSilent(now)) {
      this.#askedAt = null
    } else if (this.#askedAt === null) {
      this.#askedAt = now
      ask()
    } else if (now - this.#askedAt >= livenessMs) {
      const isWorking = await this.#isWorking()
      // Meanwhile everything was read that had arrived while this process was busy.
      if (this.#isStopped || !this.#isSilent(now)) return
      if (!isWorking) lose(new Error(`no sign of life from the server for ${(2 * livenessMs) / 1000} s`))
    }
  }

  #isSilent(now: number): boolean {
    const { reader, livenessMs } = this.#parts
    return !reader.isFull && !reader.isEnded && now - reader.heardAt >= livenessMs
  }

  /** Whether the server's process does something else than wait for the log, or for us to read. */
  async #isWorking(): Promise<boolean> {
    const [row] = await this.#parts.control.query<'type' | 'event'>(SENDER_STATE, [this.#parts.processId])
    if (row === undefined) return false
    return row.type !== 'Client' && row.event?.toLowerCase().startsWith('walsender') !== true
  }
}
