import type { SourceHealth } from '@rowtap/core/driver'
import type { HealthQuery, SlotHealthReader } from './slot-health.ts'
import { slotHealthReader } from './slot-health.ts'

const LOOK_MS = 10_000

/** What a {@link SlotHealthWatch} works with: at each look, what it is then. */
export interface SlotHealthWatchParts {
  readonly query: HealthQuery
  readonly slot: string
  /** How often it is looked at, in milliseconds. Default: 10,000. */
  readonly everyMs?: number
}

/**
 * Looks at a session's slot now and from time to time, over one connection after another, until it is stopped. It keeps
 * no program running.
 */
export class SlotHealthWatch {
  readonly #reader: SlotHealthReader
  readonly #timer: NodeJS.Timeout
  #isLooking = false

  constructor(parts: SlotHealthWatchParts) {
    this.#reader = slotHealthReader(
      (text, values) => parts.query(text, values),
      () => parts.slot,
    )
    this.#timer = setInterval(() => this.#look(), parts.everyMs ?? LOOK_MS)
    this.#timer.unref()
    this.#look()
  }

  /** What the last look saw; `null` before the first. */
  get last(): SourceHealth | null {
    return this.#reader.last
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer)
  }

  async #lookOnce(): Promise<void> {
    // A connection that is lost is told elsewhere; the next look is on the next one.
    await this.#reader.look().catch(() => undefined)
    this.#isLooking = false
  }

  #look(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    void this.#lookOnce()
  }
}
