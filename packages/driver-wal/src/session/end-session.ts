import { setTimeout as sleep } from 'node:timers/promises'
import { sqlstateOf } from '../errors/database-error.ts'
import { dropEphemeralPublications } from '../publication/ephemeral-publications.ts'
import type { ChangeStream } from '../replication/change-stream.ts'
import type { StatusTimer } from './status-timer.ts'
import type { WalSessionParts } from './wal-session.ts'

/** How long a lost connection may keep the program from ending. */
const END_TIMEOUT_MS = 5000

const SLOT_PROCESS = `SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1`
const TERMINATE = `SELECT pg_terminate_backend($1::int4)`

/**
 * Delivers the last acknowledgement and removes everything that the session made. Where the server is gone, what
 * is left there is removed by the next start.
 */
export async function endSession(parts: WalSessionParts, stream: ChangeStream, status: StatusTimer): Promise<void> {
  const { control, replication } = parts
  await status.tell()
  await replication.stop(() => stream.discard())
  try {
    await unlessTakingTooLong(removeObjects(parts))
  } catch (error) {
    // Without a connection there is nothing to remove with. An error that the server sends is one to tell.
    if (sqlstateOf(error) !== null && !sqlstateOf(error)?.startsWith('57P')) throw error
  } finally {
    await control.end()
  }
}

async function removeObjects({ control, name }: WalSessionParts): Promise<void> {
  await dropEphemeralPublications(control, name)
  // A temporary slot goes with its process, which ends a little later than its connection.
  for (let pauses = 0; ; pauses += 1) {
    const [slot] = await control.query<'pid'>(SLOT_PROCESS, [name.slot])
    if (slot === undefined) return
    if (pauses === 100 && slot.pid !== null) await control.query(TERMINATE, [slot.pid])
    await sleep(10)
  }
}

async function unlessTakingTooLong(work: Promise<void>): Promise<void> {
  const stop = new AbortController()
  try {
    await Promise.race([work, sleep(END_TIMEOUT_MS, undefined, { signal: stop.signal })])
  } finally {
    stop.abort()
  }
}
