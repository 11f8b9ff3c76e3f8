import { setTimeout as sleep } from 'node:timers/promises'
import { sqlstateOf } from '../errors/database-error.ts'

/**
 * Waits for what is to be done before a session ends, or is to be removed then, and no longer than this: a lost connection
 * does not keep the program from ending. Where the server is gone, the next start removes what is left there.
 */
export async function releaseWithin(removal: Promise<void>, timeoutMs: number): Promise<void> {
  const stop = new AbortController()
  try {
    await Promise.race([removal, sleep(timeoutMs, undefined, { signal: stop.signal })])
  } catch (error) {
    // Without a connection there is nothing to remove with. An error that the server sends is one to tell.
    if (sqlstateOf(error) !== null && !sqlstateOf(error)?.startsWith('57P')) throw error
  } finally {
    stop.abort()
  }
}
