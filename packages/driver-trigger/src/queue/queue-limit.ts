import type { DriverNotice, TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { LIMIT_READING } from '../sql/consumer-statements.ts'
import { TAKE_INSTALL_LOCK } from '../sql/install-statements.ts'
import { DROP_SUBSCRIPTION, FIND_GONE, FORGET_WANTED, NOTE_GONE, WANTED_NAMES } from '../sql/limit-statements.ts'
import type { ResolvedQueueLimit } from '../trigger-options.ts'

/** What the watch over the queue's size works with. */
export interface QueueLimitTask {
  readonly connection: Connection
  readonly limit: ResolvedQueueLimit
  readonly notify: (notice: DriverNotice) => void
}

interface Gone {
  readonly id: string
  readonly subscription: string
  readonly goneMs: string
  readonly changes: string
  readonly bytes: string
}

// How often it is looked at, and how long nobody may have read a subscription before its size counts: one that is started
// again, or that moves to another process, is not gone.
const everyMs = 5000
const graceMs = 60_000

/**
 * Looks what the queue keeps for subscriptions that nobody reads. Where that is more than the limit allows, it says so, once
 * for each, or lets go of their changes, as the limit's policy says.
 *
 * @returns a function that does so when it is time, and that returns whether something was let go of.
 */
export function queueLimit({ connection, limit, notify }: QueueLimitTask): () => Promise<boolean> {
  let lookedAt = Number.NEGATIVE_INFINITY
  let told = new Set<string>()

  const drop = async (gone: Gone, excess: string): Promise<boolean> =>
    await connection.transaction(async (queries) => {
      await queries.rows(TAKE_INSTALL_LOCK)
      const tables = await queries.rows<TableName>(WANTED_NAMES, [gone.id])
      const names = tables.map(formatTableName).join(', ')
      const reason = `the change queue let go of its changes of ${names || 'no table'}: ${excess}, which is more than queueLimit allows.`
      if ((await queries.run(DROP_SUBSCRIPTION, [gone.id, reason])) === 0) return false
      await queries.run(FORGET_WANTED, [gone.id])
      await queries.rows(LIMIT_READING)
      return true
    })

  return async () => {
    if (performance.now() - lookedAt < everyMs) return false
    lookedAt = performance.now()
    await connection.run(NOTE_GONE, [])
    const telling = new Set<string>()
    let dropped = false
    for (const gone of await connection.rows<Gone>(FIND_GONE, [limit.changes === null ? 0 : limit.changes + 1])) {
      const excess = excessOf(gone, limit)
      if (excess === null) continue
      const name = JSON.stringify(gone.subscription)
      if (limit.policy === 'drop') {
        if (!(await drop(gone, excess))) continue
        dropped = true
        notify({
          kind: 'wait',
          reason: `Let go of the changes of the subscription ${name}: ${excess}.`,
          processIds: [],
        })
      } else {
        telling.add(gone.id)
        if (told.has(gone.id)) continue
        const reason = `The change queue waits for the subscription ${name}: ${excess}. Start its client, or remove it.`
        notify({ kind: 'wait', reason, processIds: [] })
      }
    }
    told = telling
    return dropped
  }
}

/** What of it is beyond a limit, in words; `null` if nothing is. */
function excessOf({ goneMs, changes, bytes }: Gone, limit: ResolvedQueueLimit): string | null {
  const gone = Number(goneMs)
  const since = `nobody has read it for ${Math.floor(gone / 1000)} s`
  if (limit.unreadMs !== null && gone > limit.unreadMs) return since
  if (gone < graceMs) return null
  if (limit.changes !== null && Number(changes) > limit.changes) {
    return `${since}, and more than ${limit.changes} changes wait for it`
  }
  if (limit.bytes !== null && Number(bytes) > limit.bytes) return `${since}, and the queue has ${bytes} bytes`
  return null
}
