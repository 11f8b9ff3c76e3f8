import type { Connection } from '../connection/connection.ts'
import { EXTEND_READING, REMOVE_EXPIRED, RENEW_CONSUMER } from '../sql/consumer-statements.ts'
import { rotation } from './rotation.ts'
import type { Snapshot } from './snapshot.ts'
import { leaseLost } from './tick-source.ts'

/** What is done now and then while a session is open: the lease is renewed, and handled changes are removed. */
export interface Upkeep {
  /** Ends it, after what is running. */
  stop(): Promise<void>
}

const everyMs = 1000

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
  const rotate = rotation(connection)
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
    await rotate()
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
