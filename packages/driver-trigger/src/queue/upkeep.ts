import type { Connection } from '../connection/connection.ts'
import { EXTEND_READING, REMOVE_OVERDUE, REMOVE_TICKS, RENEW_CONSUMER } from '../sql/consumer-statements.ts'
import type { Handled } from './handled.ts'
import { rotation } from './rotation.ts'
import { ordinalInEra } from './snapshot.ts'
import { leaseLost } from './tick-source.ts'

/** What is done now and then while a session is open: the lease is renewed, and handled changes are removed. */
export interface Upkeep {
  /** Ends it, after what is running, and stores how far everything is handled. */
  finish(): Promise<void>
  /** Ends it, after what is running. */
  stop(): Promise<void>
  /** Whether the lease that the consumer has taken last is not over: who lost its place nevertheless has had it taken away. */
  isLeased(): boolean
}

const everyMs = 1000

/** What the upkeep works with. */
export interface UpkeepTask {
  readonly connection: Connection
  readonly consumer: string
  /** How long the consumer's lease is; `null` for a subscription, which has none. */
  readonly leaseMs: number | null
  /** How far everything is handled. */
  readonly progress: Pick<Handled, 'place' | 'acknowledged' | 'version'>
  /** Whatever else is to be done now and then. */
  readonly further: () => Promise<void>
  /** Hears of the error that ended the upkeep. */
  readonly failed: (error: unknown) => void
}

/** Starts the upkeep. */
export function startUpkeep({ connection, consumer, leaseMs, progress, further, failed }: UpkeepTask): Upkeep {
  const rotate = rotation(connection)
  const renewMs = leaseMs === null ? Infinity : Math.min(leaseMs / 5, 10_000)
  let stored = progress.version()
  /** The place as it was stored last; something may wait for one that has fewer transactions in progress. */
  let storedPlace = ''
  let isAwaited = false
  // What a process that was suspended missed counts, too.
  let renewedAt = Date.now()
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const store = async (): Promise<void> => {
    const version = progress.version()
    const place = progress.place()
    const isSame = version === stored && !(isAwaited && place.text !== storedPlace)
    if (isSame && Date.now() - renewedAt < renewMs) return
    // Writers first: a lease that they do not know of would be one in which changes are missed.
    if (leaseMs !== null) await connection.run(EXTEND_READING, [leaseMs])
    const values = [consumer, leaseMs, place.text, progress.acknowledged(), connection.processId]
    if ((await connection.run(RENEW_CONSUMER, values)) === 0) throw leaseLost()
    stored = version
    storedPlace = place.text
    renewedAt = Date.now()
    await connection.run(REMOVE_TICKS, [consumer, ordinalInEra(place)])
    await connection.run(REMOVE_OVERDUE, [consumer])
  }
  const once = async (): Promise<void> => {
    await store()
    isAwaited = await rotate()
    await further()
  }
  const schedule = (): void => {
    if (stopped) return
    timer = setTimeout(() => {
      running = once().then(schedule, (error: unknown) => {
        if (!stopped) failed(error)
      })
    }, everyMs)
  }
  schedule()
  const stop = async (): Promise<void> => {
    stopped = true
    clearTimeout(timer)
    await running
  }
  return {
    finish: async () => {
      await stop()
      await store()
    },
    stop,
    isLeased: () => leaseMs !== null && Date.now() - renewedAt < leaseMs,
  }
}
