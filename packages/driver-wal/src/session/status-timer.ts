import type { InFlight } from '../replication/in-flight.ts'
import type { Lsn } from '../replication/lsn.ts'
import { standbyStatus } from '../replication/standby-status.ts'

/** How long an acknowledgement may wait, so that many go together. */
const ACKNOWLEDGE_MS = 1000
/** How long the server may hear nothing, whatever its own timeout is. */
const LONGEST_SILENCE_MS = 10_000

/** Tells the server how far everything is handled: soon after it changes, and often enough to be known alive. */
export class StatusTimer {
  readonly #inFlight: InFlight
  readonly #send: (message: Buffer) => Promise<void>
  readonly #silenceMs: number
  readonly #timer: NodeJS.Timeout
  #sentFlushed: Lsn | null = null
  #sentAt = 0

  /** @param senderTimeoutMs the server's `wal_sender_timeout`; 0 is none. */
  constructor(inFlight: InFlight, send: (message: Buffer) => Promise<void>, senderTimeoutMs: number) {
    this.#inFlight = inFlight
    this.#send = send
    this.#silenceMs = senderTimeoutMs === 0 ? LONGEST_SILENCE_MS : Math.min(LONGEST_SILENCE_MS, senderTimeoutMs / 3)
    this.#timer = setInterval(() => this.#tick(), Math.min(ACKNOWLEDGE_MS, this.#silenceMs / 2))
  }

  /**
   * Tells now. Resolves when the message has left.
   *
   * @param asksForReply whether the server is to answer at once.
   */
  tell(asksForReply = false): Promise<void> {
    const { received, flushed } = this.#inFlight
    this.#sentFlushed = flushed
    this.#sentAt = performance.now()
    return this.#send(standbyStatus(received, flushed, Date.now(), asksForReply))
  }

  /** Tells nothing any more. */
  stop(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const isDue = this.#inFlight.flushed !== this.#sentFlushed || performance.now() - this.#sentAt >= this.#silenceMs
    // Sending does not reject: a connection that fails is told elsewhere.
    if (isDue) void this.tell()
  }
}
