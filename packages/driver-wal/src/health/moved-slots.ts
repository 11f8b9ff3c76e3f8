import type { ControlConnection } from '../connection/control-connection.ts'
import { durableName } from '../publication/durable-name.ts'
import { parseLsn } from '../replication/lsn.ts'
import { parseLimit } from '../session/acknowledgement-limit.ts'
import { parseRecord } from '../session/subscription-record.ts'
import { LOG_IDENTITY, NOTES } from './health-sql.ts'
import type { SeenSlot } from './read-slots.ts'

/** What slots are compared with. */
interface Known {
  /** What subscriptions have written down with their publications, by the publications' names. */
  readonly notes: ReadonlyMap<string, string | null>
  /** Whose log the server writes. */
  readonly systemId: string | null
  readonly timeline: number
}

/**
 * The names of the slots that nobody reads and that are further than their subscription may have acknowledged: somebody
 * else moved them on, or made them again. They have to be looked at before this is asked. The error of a failure is `pg`'s.
 */
export async function readMovedSlots(
  control: ControlConnection,
  slots: readonly SeenSlot[],
): Promise<ReadonlySet<string>> {
  const rows = await control.query<'name' | 'text' | 'sees_log'>(NOTES)
  if (rows[0]?.sees_log !== 't') return new Set()
  const [log] = await control.query<'system' | 'timeline'>(LOG_IDENTITY)
  const known: Known = {
    notes: new Map(rows.map(({ name, text }) => [name ?? '', text])),
    systemId: log?.system ?? null,
    timeline: Number(log?.timeline),
  }
  return new Set(slots.filter((slot) => isMoved(slot, known)).map(({ name }) => name))
}

function isMoved({ owner, isHere, isActive, confirmedFlushLsn }: SeenSlot, known: Known): boolean {
  if (owner.kind !== 'subscription' || !isHere || isActive || confirmedFlushLsn === null) return false
  const { publications } = durableName(owner.subscription, 0)
  const record = parseRecord(known.notes.get(publications.inserts) ?? null)
  // Places of another server's log, before `pg_upgrade` for one, say nothing of this one's.
  if (record === null || record.systemId !== known.systemId) return false
  const flushed = parseLsn(confirmedFlushLsn)
  if (record.closedAt !== null) return flushed > record.closedAt
  const limit = parseLimit(known.notes.get(publications.all) ?? null)
  return (
    limit !== null && limit.session === record.session && limit.timeline === known.timeline && flushed > limit.limit
  )
}
