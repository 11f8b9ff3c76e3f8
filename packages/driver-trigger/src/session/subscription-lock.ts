import type { DurableSubscription, Waiting } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { END_SILENT_HOLDERS, SUBSCRIPTION_HOLDERS, TRY_LOCK_SUBSCRIPTION } from '../sql/subscription-statements.ts'

/** How a subscription's lock is taken. */
export interface TakeSubscriptionOptions extends Pick<DurableSubscription, 'name' | 'wait'> {
  /** Which of a session's connections takes it: each has one of its own, so that none of a former session is left. */
  readonly part: 'control' | 'reader'
  readonly waiting: Waiting
  /** For how long the client that has it may be silent, before the server's end of its connection is ended: it can do nothing more. */
  readonly livenessMs: number
}

/** A client that lives is heard of once a second: it is not silent before that has been missed several times. */
const SHORTEST_SILENCE_MS = 3000

/**
 * Takes the lock that makes this connection the only one of its kind with a subscription, for as long as it lives.
 *
 * @throws RowtapError ERR_SUBSCRIPTION_IN_USE, ERR_ABORTED, ERR_CONNECTION_LOST
 */
export async function takeSubscription(
  connection: Connection,
  { name, wait, part, waiting, livenessMs }: TakeSubscriptionOptions,
): Promise<void> {
  const silenceMs = Math.max(livenessMs, SHORTEST_SILENCE_MS)
  for (;;) {
    const [row] = await connection.rows<{ got: boolean }>(TRY_LOCK_SUBSCRIPTION, [name, part])
    if (row?.got === true) return
    const silent = await connection.rows<{ pid: number }>(END_SILENT_HOLDERS, [name, part, silenceMs])
    const holders = await connection.rows<{ pid: number }>(SUBSCRIPTION_HOLDERS, [name, part])
    const processIds = holders.map(({ pid }) => pid)
    if (!wait && silent.length === 0 && processIds.length > 0) throw inUse(name, processIds)
    const reason = `Waiting for another process to end, which has subscription ${JSON.stringify(name)}.`
    await waiting.pause(reason, processIds)
  }
}

function inUse(name: string, holders: readonly number[]): RowtapError {
  return new RowtapError('ERR_SUBSCRIPTION_IN_USE', {
    message: `Another process has subscription ${JSON.stringify(name)} (server process ${holders.join(', ')}): end it, or leave out wait: false to wait for its end.`,
    retryable: true,
  })
}
