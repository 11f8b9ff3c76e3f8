import { RowtapError } from '@rowtap/core/driver'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits before the next attempt: 50 ms at first, then longer, up to 2 s.
 *
 * @throws RowtapError ERR_ABORTED as soon as the signal is aborted.
 */
export async function backoff(attempt: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(Math.min(50 * 2 ** attempt, 2000), undefined, { signal })
  } catch (error) {
    throw new RowtapError('ERR_ABORTED', { message: 'Waiting was given up.', cause: error })
  }
}
