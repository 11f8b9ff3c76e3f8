import { setTimeout as sleep } from 'node:timers/promises'
import type { DriverHost } from '../contract/driver.ts'
import { RowtapError } from '../rowtap-error.ts'

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 250
const PATIENCE_MS = 1000

/** Who waits, and is told of it. */
export type WaitingHost = Pick<DriverHost, 'signal' | 'notify'>

/**
 * One wait for something that other sessions hold: it looks again after ever longer pauses, tells the user once
 * it has taken a second and whenever others are waited for, and ends when the user gives up.
 */
export class Waiting {
  readonly #host: WaitingHost
  readonly #since = performance.now()
  #pauseMs = FIRST_PAUSE_MS
  #told: string | null = null

  constructor(host: WaitingHost) {
    this.#host = host
  }

  /** How long it has taken so far. */
  get elapsedMs(): number {
    return performance.now() - this.#since
  }

  /**
   * Waits before the next look.
   *
   * @throws RowtapError ERR_ABORTED
   */
  async pause(reason: string, processIds: readonly number[]): Promise<void> {
    const key = processIds.join()
    if (this.elapsedMs >= PATIENCE_MS && key !== this.#told) {
      this.#told = key
      this.#host.notify({ kind: 'wait', reason, processIds })
    }
    throwIfAborted(this.#host.signal)
    await sleep(this.#pauseMs, undefined, { signal: this.#host.signal }).catch(() => throwIfAborted(this.#host.signal))
    this.#pauseMs = Math.min(this.#pauseMs * 1.5, LONGEST_PAUSE_MS)
  }
}

/** @throws RowtapError ERR_ABORTED */
function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw aborted(signal)
}

/**
 * What a piece of work comes to, unless the caller gives up first; then it is left to itself. It is not begun for a
 * caller that has given up already.
 *
 * @param graceMs how long it may take after that to end in good order.
 * @throws RowtapError ERR_ABORTED
 */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>, graceMs = 0): Promise<T> {
  throwIfAborted(signal)
  const givenUp = Promise.withResolvers<never>()
  let timer: NodeJS.Timeout | undefined
  const onAbort = (): void => {
    if (graceMs === 0) givenUp.reject(aborted(signal))
    else timer = setTimeout(() => givenUp.reject(aborted(signal)), graceMs)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work(), givenUp.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
    clearTimeout(timer)
  }
}

function aborted(signal: AbortSignal): RowtapError {
  return new RowtapError('ERR_ABORTED', { message: 'The caller gave up waiting.', cause: signal.reason })
}
