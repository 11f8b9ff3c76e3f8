import type { DriverNotice, TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { LIMIT_READING } from '../sql/consumer-statements.ts'
import { TAKE_INSTALL_LOCK } from '../sql/install-statements.ts'
import {
  COUNT_BEHIND,
  DROP_CONSUMER,
  FIND_HOLDERS,
  FORGET_WANTED,
  NOTE_GONE,
  WANTED_NAMES,
} from '../sql/limit-statements.ts'
import type { ResolvedQueueLimit } from '../trigger-options.ts'
import { parseSnapshot } from './snapshot.ts'
import { leaseLost } from './tick-source.ts'

/** What the watch over the queue's size works with. */
export interface QueueLimitTask {
  readonly connection: Connection
  /** The consumer of the session that watches. */
  readonly consumer: string
  readonly limit: ResolvedQueueLimit
  readonly notify: (notice: DriverNotice) => void
  /** Milliseconds since some moment. Default: the process's clock. */
  readonly now?: () => number
}

interface Holder {
  readonly id: string
  /** `null`: a client without a subscription. */
  readonly subscription: string | null
  readonly alive: boolean
  readonly goneMs: string | null
  readonly changes: string
  readonly bytes: string
  readonly place: string
}

/** What was seen of a consumer that is read. */
interface Seen {
  /** The place that it was at, and since when. */
  readonly place: string
  readonly placeSince: number
  /** Since when more waits for it than the limit allows; `null`: it does not. */
  readonly overSince: number | null
}

// How often it is looked at, and how long the limit has to be passed: a client that is started again, or that moves to another
// process, is not gone, and one that is given much at once is not too slow.
const everyMs = 5000
const graceMs = 60_000

/**
 * Looks what the queue keeps, and for whom: for subscriptions that nobody reads, and for clients that are far behind. Where that
 * is more than the limit allows, it says so, once for each, or lets go of their changes, as the limit's policy says.
 *
 * @returns a function that does so when it is time, and that returns whether something was let go of. It throws
 *   ERR_POSITION_LOST where the watching session's own changes were.
 */
export function queueLimit(task: QueueLimitTask): () => Promise<boolean> {
  const { connection, consumer, limit, notify, now = () => performance.now() } = task
  let lookedAt = Number.NEGATIVE_INFINITY
  let told = new Set<string>()
  let seen = new Map<string, Seen>()

  const drop = async (holder: Holder, excess: string): Promise<boolean> =>
    await connection.transaction(async (queries) => {
      await queries.rows(TAKE_INSTALL_LOCK)
      const tables = await queries.rows<TableName>(WANTED_NAMES, [holder.id])
      const names = tables.map(formatTableName).join(', ')
      const [count] = await queries.rows<{ changes: string }>(COUNT_BEHIND, [holder.id])
      const reason = `the change queue let go of its changes of ${names || 'no table'} (${count?.changes ?? 0} of all tables waited): ${excess}, which is more than queueLimit allows.`
      if ((await queries.run(DROP_CONSUMER, [holder.id, reason, holder.alive ? holder.place : null])) === 0)
        return false
      await queries.run(FORGET_WANTED, [holder.id])
      await queries.rows(LIMIT_READING)
      return true
    })

  /** What of a consumer that is read is beyond the limit for long enough, in words; `null` if nothing is. */
  const excessOfReader = (holder: Holder, isEarliest: boolean): string | null => {
    const before = seen.get(holder.id)
    const isSamePlace = before?.place === holder.place && Number(holder.changes) > 0
    const placeSince = isSamePlace ? before.placeSince : now()
    const over = tooMuch(holder, limit, isEarliest)
    const overSince = over === null ? null : (before?.overSince ?? now())
    seen.set(holder.id, { place: holder.place, placeSince, overSince })
    const stoodMs = now() - placeSince
    if (limit.unreadMs !== null && isSamePlace && stoodMs > Math.max(limit.unreadMs, graceMs)) {
      return `it has handled nothing for ${Math.floor(stoodMs / 1000)} s`
    }
    if (over === null || overSince === null || now() - overSince < graceMs) return null
    return `it is too slow: for ${Math.floor((now() - overSince) / 1000)} s ${over}`
  }

  return async () => {
    if (now() - lookedAt < everyMs) return false
    lookedAt = now()
    await connection.run(NOTE_GONE, [])
    const holders = await connection.rows<Holder>(FIND_HOLDERS, [(limit.changes ?? 0) + 1])
    if (!holders.some(({ id }) => id === consumer)) throw leaseLost()
    seen = new Map([...seen].filter(([id]) => holders.some((one) => one.id === id && one.alive)))
    const ordinals = holders.map(({ place }) => parseSnapshot(place).ordinal)
    const telling = new Set<string>()
    let dropped = false
    for (const [index, holder] of holders.entries()) {
      const isEarliest = ordinals.every((ordinal) => ordinal >= (ordinals[index] ?? 0n))
      const excess = holder.alive ? excessOfReader(holder, isEarliest) : excessOfGone(holder, limit)
      if (excess === null) continue
      const name =
        holder.subscription === null ? `client ${holder.id}` : `the subscription ${JSON.stringify(holder.subscription)}`
      if (limit.policy === 'drop') {
        if (!(await drop(holder, excess))) continue
        dropped = true
        notify({ kind: 'wait', reason: `Let go of the changes of ${name}: ${excess}.`, processIds: [] })
        if (holder.id === consumer) throw leaseLost()
      } else {
        telling.add(holder.id)
        if (told.has(holder.id)) continue
        const advice = holder.alive ? '' : ' Start its client, or remove it.'
        notify({ kind: 'wait', reason: `The change queue waits for ${name}: ${excess}.${advice}`, processIds: [] })
      }
    }
    told = telling
    return dropped
  }
}

/** What of a subscription that nobody reads is beyond a limit, in words; `null` if nothing is. */
function excessOfGone(holder: Holder, limit: ResolvedQueueLimit): string | null {
  // Of a client without a subscription others see to it when its lease is over.
  if (holder.subscription === null || holder.goneMs === null) return null
  const gone = Number(holder.goneMs)
  const since = `nobody has read it for ${Math.floor(gone / 1000)} s`
  if (limit.unreadMs !== null && gone > limit.unreadMs) return since
  const over = gone < graceMs ? null : tooMuch(holder, limit, true)
  return over === null ? null : `${since}, and ${over}`
}

/** How the queue is larger than a limit allows, in words; `null` if it is not. */
function tooMuch({ changes, bytes }: Holder, limit: ResolvedQueueLimit, holdsIt: boolean): string | null {
  if (limit.changes !== null && Number(changes) > limit.changes) return `more than ${limit.changes} changes wait for it`
  // What is before its place waits for somebody else.
  if (limit.bytes !== null && holdsIt && Number(changes) > 0 && Number(bytes) > limit.bytes) {
    return `the queue has ${bytes} bytes`
  }
  return null
}
