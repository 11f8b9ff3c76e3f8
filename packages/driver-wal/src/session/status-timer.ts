import type { InFlight } from '../replication/in-flight.ts'
import type { Lsn } from '../replication/lsn.ts'
import { standbyStatus } from '../replication/standby-status.ts'
import type { AcknowledgementLimit } from './acknowledgement-limit.ts'
import { releaseWithin } from './release-within.ts'

/** How long an acknowledgement may wait, so that many go together. */
const ACKNOWLEDGE_MS = 1000
/** How long the server may hear nothing, whatever its own timeout is. */
const LONGEST_SILENCE_MS = 10_000

/** What a {@link StatusTimer} works with. */
export interface StatusTimerParts {
  readonly inFlight: InFlight
  /** Resolves when the message has left. Does not reject. */
  readonly send: (message: Buffer) => Promise<void>
  /** The server's `wal_sender_timeout`; 0 is none. */
  readonly senderTimeoutMs: number
  /** Up to where may be acknowledged; `null`: as far as everything is handled. */
  readonly limit: Pick<AcknowledgementLimit, 'allows' | 'raise'> | null
}

/** Tells the server how far everything is handled: soon after it changes, and often enough to be known alive. */
export class StatusTimer {
  readonly #parts: StatusTimerParts
  readonly #silenceMs: number
  readonly #timer: NodeJS.Timeout
  /** The last place that was told as handled, or that the server began with. */
  #flushed: Lsn
  #sentAt = 0
  #isRaising = false
  #isStopped = false

  constructor(parts: StatusTimerParts) {
    const { senderTimeoutMs, inFlight } = parts
    this.#parts = parts
    this.#flushed = inFlight.flushed
    this.#silenceMs = senderTimeoutMs === 0 ? LONGEST_SILENCE_MS : Math.min(LONGEST_SILENCE_MS, senderTimeoutMs / 3)
    this.#timer = setInterval(() => this.#tick(), Math.min(ACKNOWLEDGE_MS, this.#silenceMs / 2))
  }

  /**
   * Tells now. Resolves when the message has left. What may not be acknowledged yet is told as soon as it may.
   *
   * @param asksForReply whether the server is to answer at once.
   */
  tell(asksForReply = false): Promise<void> {
    const { inFlight, limit } = this.#parts
    const { flushed } = inFlight
    if (limit === null || limit.allows(flushed)) this.#flushed = flushed
    else this.#raise(limit, flushed)
    return this.#send(asksForReply)
  }

  /**
   * Tells everything that is handled. Resolves when the message has left.
   *
   * @param timeoutMs how long that may wait for what has to be written down before. What is not told comes again.
   */
  async tellAll(timeoutMs: number): Promise<void> {
    const { inFlight, limit } = this.#parts
    if (limit !== null) await releaseWithin(() => limit.raise(inFlight.flushed), timeoutMs).catch(() => undefined)
    await this.tell()
  }

  /** Tells nothing any more by itself. */
  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  #raise(limit: NonNullable<StatusTimerParts['limit']>, flushed: Lsn): void {
    if (this.#isRaising || this.#isStopped) return
    this.#isRaising = true
    limit
      .raise(flushed)
      // Where it could not be written down, the next tick tries again.
      .catch(() => undefined)
      .finally(() => {
        this.#isRaising = false
        if (!limit.allows(flushed) || this.#isStopped) return
        // What was handled meanwhile may be more than may be acknowledged now. It waits for the next tick: this does not wait
        // for it, and what is written down is not written again for each answer.
        if (flushed > this.#flushed) this.#flushed = flushed
        void this.#send(false)
      })
  }

  #send(asksForReply: boolean): Promise<void> {
    this.#sentAt = performance.now()
    return this.#parts.send(standbyStatus(this.#parts.inFlight.received, this.#flushed, Date.now(), asksForReply))
  }

  #tick(): void {
    const isDue = this.#parts.inFlight.flushed !== this.#flushed || performance.now() - this.#sentAt >= this.#silenceMs
    // Sending does not reject: a connection that fails is told elsewhere.
    if (isDue) void this.tell()
  }
}
