import type { DriverNotice } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { forgetConsumer, isGone, removeUnused } from '../install/uninstall.ts'
import type { Link } from './link.ts'

// How often a close tries to remove what others hold locks on, before it leaves that to the next start.
const closeAttempts = 3

/** Forgets a consumer, and removes what nobody else uses. */
export async function removeConsumer(
  { control }: Pick<Link, 'control'>,
  consumer: string,
  notify: (notice: DriverNotice) => void,
): Promise<void> {
  try {
    await forgetConsumer(control, consumer)
    const { signal } = new AbortController()
    const left = await removeUnused({ connection: control, signal, attempts: closeAttempts, notify })
    for (const message of left?.refused.values() ?? []) {
      notify({ kind: 'wait', reason: `${message} The next client’s start tries again.`, processIds: [] })
    }
  } catch (error) {
    // Whoever starts next removes what a lost connection leaves behind.
    if (!RowtapError.is(error, 'ERR_CONNECTION_LOST') && !isGone(error)) throw error
  }
}
