import { setTimeout as sleep } from 'node:timers/promises'
import { isWorthTrying } from '@rowtap/core/driver'
import { databaseError, sqlstateOf } from '../errors/database-error.ts'

/** How long to wait before it is tried again, in milliseconds. */
const PAUSE_MS = 10

/**
 * Does what is to be done before a session ends, or is to be removed then, and waits for it no longer than this: a lost
 * connection does not keep the program from ending. Where the server is gone, the next start removes what is left there.
 *
 * @throws RowtapError where the server refuses it.
 */
export async function releaseWithin(remove: () => Promise<void>, timeoutMs: number): Promise<void> {
  const stop = new AbortController()
  try {
    await Promise.race([untilRemoved(remove, stop.signal), sleep(timeoutMs, undefined, { signal: stop.signal })])
  } catch (error) {
    const reason = databaseError(error, 'remove what was the session’s own')
    // Without a connection there is nothing to remove with. An error that the server sends is one to tell.
    if (sqlstateOf(error) !== null && reason.code !== 'ERR_CONNECTION_LOST') throw reason
  } finally {
    stop.abort()
  }
}

/** What somebody cancels is done again. */
async function untilRemoved(remove: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await remove()
      return
    } catch (error) {
      const reason = databaseError(error, 'remove what was the session’s own')
      if (reason.code === 'ERR_CONNECTION_LOST' || !isWorthTrying(reason)) throw error
    }
    await sleep(PAUSE_MS, undefined, { signal })
  }
}
