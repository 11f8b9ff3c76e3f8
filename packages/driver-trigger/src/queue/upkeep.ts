import type { Connection } from '../connection/connection.ts'
import { EXTEND_READING, REMOVE_EXPIRED, RENEW_CONSUMER } from '../sql/consumer-statements.ts'
import { DELETE_HANDLED, EARLIEST_PLACE, TRY_CLEAN_LOCK } from '../sql/queue-statements.ts'
import type { Snapshot } from './snapshot.ts'
import { leaseLost } from './tick-source.ts'

/** What is done now and then while a session is open: the lease is renewed, and handled changes are removed. */
export interface Upkeep {
  /** Ends it, after what is running. */
  stop(): Promise<void>
}

const everyMs = 1000
const deleteSize = 20_000

/** What the upkeep works with. */
export interface UpkeepTask {
  readonly connection: Connection
  readonly consumer: string
  readonly leaseMs: number
  /** How far everything is handled. */
  readonly place: () => Snapshot
  /** Whatever else is to be done now and then. */
  readonly further: () => Promise<void>
  /** Hears of the error that ended the upkeep. */
  readonly failed: (error: unknown) => void
}

/** Starts the upkeep. */
export function startUpkeep({ connection, consumer, leaseMs, place, further, failed }: UpkeepTask): Upkeep {
  const renewMs = Math.min(leaseMs / 5, 10_000)
  let stored = ''
  let renewedAt = performance.now()
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const once = async (): Promise<void> => {
    const current = place().text
    const due = performance.now() - renewedAt >= renewMs
    if (current === stored && !due) return
    // Writers first: a lease that they do not know of would be one in which changes are missed.
    await connection.run(EXTEND_READING, [leaseMs])
    if ((await connection.run(RENEW_CONSUMER, [consumer, leaseMs, current])) === 0) throw leaseLost()
    stored = current
    renewedAt = performance.now()
    await connection.run(REMOVE_EXPIRED, [consumer])
    await removeHandled(connection, () => stopped)
    await further()
  }
  const schedule = (): void => {
    if (stopped) return
    timer = setTimeout(
      () => {
        running = once().then(schedule, (error: unknown) => {
          if (!stopped) failed(error)
        })
      },
      Math.min(everyMs, renewMs),
    )
  }
  schedule()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}

/** Removes the changes that every consumer has handled, some at a time, unless another consumer is doing so. */
async function removeHandled(connection: Connection, stopped: () => boolean): Promise<void> {
  for (let removed = deleteSize; removed === deleteSize && !stopped();) {
    removed = await connection.transaction(async (queries) => {
      const [lock] = await queries.rows<{ got: boolean }>(TRY_CLEAN_LOCK)
      if (lock?.got !== true) return 0
      const [earliest] = await queries.rows<{ xmax: string; place: string }>(EARLIEST_PLACE)
      if (earliest === undefined) return 0
      return queries.run(DELETE_HANDLED, [earliest.xmax, earliest.place, deleteSize])
    })
  }
}
