import type { Duplex } from 'node:stream'

/** How long the other side may take to say goodbye. */
const GOODBYE_MS = 1000

/** Ends a connection in an orderly way, or closes its socket where that takes long: the other side may be gone. */
export async function endWithin(end: () => Promise<unknown>, socket: () => Duplex | undefined): Promise<void> {
  const timer = setTimeout(() => socket()?.destroy(), GOODBYE_MS)
  try {
    await end()
  } finally {
    clearTimeout(timer)
  }
}
