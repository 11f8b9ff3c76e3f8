import type { ControlConnection } from '../connection/control-connection.ts'
import { booleanOf, bytesOf, momentOf, walStatusOf } from './health-values.ts'
import { slotsSql } from './health-sql.ts'
import { ownerOfSlot } from './owned-name.ts'
import type { WalSlotHealth } from './wal-health.ts'
import { parseLsn } from '../replication/lsn.ts'

/** A slot as one look sees it. */
export type SeenSlot = Omit<WalSlotHealth, 'hasMoved' | 'wasMoved' | 'fullInSeconds'>

/** One look at the log and at every slot of ours. */
export interface SlotsLook {
  readonly atMs: number
  /** The log's end; `null` where the server cannot tell. */
  readonly lsn: string | null
  readonly slots: readonly SeenSlot[]
}

type Column =
  | 'lsn'
  | 'at_ms'
  | 'name'
  | 'database'
  | 'here'
  | 'temporary'
  | 'active'
  | 'active_pid'
  | 'restart_lsn'
  | 'confirmed_flush_lsn'
  | 'lag'
  | 'retained'
  | 'safe'
  | 'status'
  | 'conflicting'
  | 'reason'
  | 'failover'
  | 'inactive_ms'

/** Looks at the log's end and at the slots. The error of a failure is `pg`'s. */
export async function readSlots(control: ControlConnection, version: number): Promise<SlotsLook> {
  const rows = await control.query<Column>(slotsSql(version))
  const slots = rows.flatMap((row): readonly SeenSlot[] => {
    const name = row.name
    const owner = name === null ? null : ownerOfSlot(name)
    if (name === null || owner === null) return []
    return [
      {
        name,
        owner,
        database: row.database ?? '',
        isHere: row.here === 't',
        isTemporary: row.temporary === 't',
        isActive: row.active === 't',
        activePid: row.active_pid === null ? null : Number(row.active_pid),
        restartLsn: row.restart_lsn,
        confirmedFlushLsn: row.confirmed_flush_lsn,
        lagBytes: bytesOf(row.lag),
        retainedBytes: bytesOf(row.retained),
        safeWalBytes: bytesOf(row.safe),
        walStatus: walStatusOf(row.status),
        invalidationReason: row.reason,
        isConflicting: booleanOf(row.conflicting),
        isFailover: booleanOf(row.failover),
        inactiveSince: momentOf(row.inactive_ms),
      },
    ]
  })
  return { atMs: Number(rows[0]?.at_ms), lsn: rows[0]?.lsn ?? null, slots }
}

/**
 * What two looks say together: how fast the log grows, and which slots it will fill up.
 *
 * @param moved the names of the slots that somebody else has moved on.
 */
export function compareLooks(
  first: SlotsLook | null,
  last: SlotsLook,
  moved: ReadonlySet<string> = new Set(),
): { readonly bytesPerSecond: number | null; readonly slots: readonly WalSlotHealth[] } {
  const bytesPerSecond = rateOf(first, last)
  return {
    bytesPerSecond,
    slots: last.slots.map((slot) => {
      const before = first?.slots.find(({ name }) => name === slot.name)
      const hasMoved = before === undefined ? null : before.confirmedFlushLsn !== slot.confirmedFlushLsn
      return {
        ...slot,
        hasMoved,
        wasMoved: moved.has(slot.name),
        fullInSeconds: fullIn(slot, hasMoved, bytesPerSecond),
      }
    }),
  }
}

function rateOf(first: SlotsLook | null, last: SlotsLook): number | null {
  if (first === null || first.lsn === null || last.lsn === null || last.atMs <= first.atMs) return null
  return (Number(parseLsn(last.lsn) - parseLsn(first.lsn)) * 1000) / (last.atMs - first.atMs)
}

function fullIn(slot: SeenSlot, hasMoved: boolean | null, bytesPerSecond: number | null): number | null {
  if (hasMoved !== false || bytesPerSecond === null || bytesPerSecond <= 0) return null
  if (slot.safeWalBytes === null || slot.walStatus === 'lost') return null
  return Math.max(0, slot.safeWalBytes) / bytesPerSecond
}
