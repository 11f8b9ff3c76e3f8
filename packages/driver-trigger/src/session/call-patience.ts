import { setTimeout as sleep } from 'node:timers/promises'
import type { ReconnectPolicy } from '@rowtap/core/driver'
import { isPassing, RowtapError } from '@rowtap/core/driver'

/** How often a call is made at most: what cancels its statements every time does so on purpose. */
const MOST_ATTEMPTS = 7

/**
 * Decides how often one call of a session is made on links that last, and waits in between: a statement that failed for a
 * reason that passes is no reason to disturb what reads the queue beside it.
 */
export class CallPatience {
  readonly #policy: ReconnectPolicy | null
  readonly #signal: AbortSignal
  readonly #since: number = performance.now()
  #attempts = 0

  /**
   * @param policy how a lost connection is made again; `null`: not, and then nothing is tried twice.
   * @param signal ends the waiting.
   */
  constructor(policy: ReconnectPolicy | null, signal: AbortSignal) {
    this.#policy = policy
    this.#signal = signal
  }

  /** Waits until the call may be made again, after it failed so. False, at once, where it may not. */
  async waitAfter(failure: unknown): Promise<boolean> {
    this.#attempts += 1
    const passes = RowtapError.is(failure) && isPassing(failure)
    if (this.#policy === null || !passes || this.#attempts >= MOST_ATTEMPTS) return false
    const { minDelayMs, maxDelayMs, giveUpAfterMs } = this.#policy
    if (performance.now() - this.#since >= giveUpAfterMs) return false
    const pauseMs = Math.min(minDelayMs * 2 ** (this.#attempts - 1), maxDelayMs) * (0.5 + Math.random() / 2)
    await sleep(pauseMs, undefined, { signal: this.#signal }).catch(() => undefined)
    return !this.#signal.aborted
  }
}
