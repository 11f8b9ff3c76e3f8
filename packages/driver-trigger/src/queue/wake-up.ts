import type { Connection } from '../connection/connection.ts'
import { AWAKE, FALL_ASLEEP, LISTEN } from '../sql/queue-statements.ts'
import type { ResolvedTriggerOptions } from '../trigger-options.ts'

/**
 * When to look at the queue again.
 *
 * While changes keep coming the reader polls, at the shortest interval. When none came for a while it falls asleep: it
 * asks writers for a NOTIFY, and polls at growing intervals. A notification is only ever a latency hint. A writer
 * that wrote before the reader fell asleep, and commits later, sends none; the growing intervals keep its delay
 * about as short as its transaction was long.
 *
 *     busy --nothing for `lingerMs`--> asleep --found something--> busy
 *
 * What writers are asked for is one flag for all readers. A reader that takes it back notifies the others; one that
 * hears a notification, and finds nothing, sets it again. So while anyone sleeps, writers know.
 */
export interface WakeUp {
  /** Waits until it is time to look again; at least so long, unless it is woken. */
  wait(restMs?: number): Promise<void>
  /** The last look found something. */
  found(): void
  /** Ends a wait: there is something to look at, or nothing more to wait for. */
  wake(): void
  /** Has writers wake this reader no more. */
  end(): Promise<void>
}

const lingerMs = 100
// How often a reader that sleeps says so again: writers believe it for a minute.
const repeatMs = 20_000
// The longest wait where writers cannot be relied on to wake the reader.
const unheardMaxMs = 20

/** How a reader is woken. */
export interface WakeUpOptions {
  /** Whether the reader can be notified at all: a transaction pooler has nobody to notify. */
  readonly listens: boolean
  /** Whether writers on this server may send notifications. */
  readonly notifies: boolean
  readonly pollMinMs: number
  readonly pollMaxMs: number
}

/** How a session's reader is woken, on a server. */
export function wakeUpOptions(
  { pooler, pollMinMs, pollMaxMs }: Pick<ResolvedTriggerOptions, 'pooler' | 'pollMinMs' | 'pollMaxMs'>,
  server: { readonly prepared_transactions: boolean },
): WakeUpOptions {
  return { listens: pooler === null, notifies: !server.prepared_transactions, pollMinMs, pollMaxMs }
}

/** Listens for notifications, where there can be any, and begins busy. */
export async function wakeUp(
  connection: Connection,
  { listens, notifies, pollMinMs, pollMaxMs }: WakeUpOptions,
): Promise<WakeUp> {
  let asleep = false
  let toldAt = 0
  let heard = false
  // Another reader may have told writers that nobody sleeps.
  let forgotten = false
  let lastFound = performance.now()
  let intervalMs = pollMinMs
  let woken = false
  let resume: (() => void) | null = null

  const wake = (): void => {
    woken = true
    resume?.()
  }
  connection.onNotification(() => {
    heard = true
    forgotten = true
    wake()
  })
  if (listens) await connection.run(LISTEN)
  // One that crashed in its sleep would have writers send notifications for ever. And a connection pooler in between
  // may not pass notifications on: one that comes back proves that they arrive.
  if (listens) await connection.run(AWAKE)

  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        resume = null
        resolve()
      }
      const timer = setTimeout(done, ms)
      resume = done
    })

  return {
    wake,
    end: async () => {
      if (asleep) await connection.run(AWAKE)
      asleep = false
    },
    found: () => {
      lastFound = performance.now()
      intervalMs = pollMinMs
      if (!asleep) return
      asleep = false
      // Where this fails the connection is lost, and the next look at the queue says so.
      connection.run(AWAKE).catch(() => {})
    },
    wait: async (restMs = 0) => {
      const isIdle = performance.now() - lastFound >= lingerMs
      if (listens && (asleep ? forgotten || performance.now() - toldAt >= repeatMs : isIdle)) {
        asleep = true
        forgotten = false
        toldAt = performance.now()
        await connection.run(FALL_ASLEEP)
        // Look once more: what was committed before the writers knew would have to wait for the next interval.
        return
      }
      if (!woken) {
        const ms = Math.max(intervalMs, restMs)
        await rest(listens ? Math.min(ms, repeatMs) : ms)
      }
      woken = false
      if (!isIdle || (listens && !asleep)) return
      const maxMs = !listens || (heard && notifies) ? pollMaxMs : Math.min(pollMaxMs, Math.max(pollMinMs, unheardMaxMs))
      intervalMs = Math.min(intervalMs * 2, maxMs)
    },
  }
}
