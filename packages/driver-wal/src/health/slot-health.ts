import type { SourceHealth } from '@rowtap/core/driver'
import type { TextRow } from '../connection/control-connection.ts'
import { bytesOf, walStatusOf } from './health-values.ts'
import { LogHistory } from './log-history.ts'
import { SLOT_HEALTH } from './slot-health-sql.ts'

/** Runs a statement that only reads. `ControlConnection.query` is one. */
export type HealthQuery = <Column extends string>(
  text: string,
  values?: readonly unknown[],
) => Promise<readonly TextRow<Column>[]>

/** Looks at one slot from time to time. */
export interface SlotHealthReader {
  /** What the last look saw; `null` before the first. */
  readonly last: SourceHealth | null
  /**
   * Looks once. It takes one short statement.
   *
   * The error of a failure is `pg`'s.
   */
  look(): Promise<SourceHealth>
}

/**
 * A reader of the health of a slot that a session reads from. It makes no connection and no timer of its own.
 *
 * @param slot the slot's name at the moment of a look.
 */
export function slotHealthReader(query: HealthQuery, slot: () => string): SlotHealthReader {
  const history = new LogHistory()
  let last: SourceHealth | null = null
  return {
    get last() {
      return last
    },
    async look() {
      const [row] = await query<'at_ms' | 'ends' | 'confirmed' | 'lag' | 'retained' | 'safe' | 'status'>(SLOT_HEALTH, [
        slot(),
      ])
      const atMs = Number(row?.at_ms)
      history.add(atMs, BigInt(row?.ends ?? '0'))
      const confirmed = row?.confirmed ?? null
      last = {
        takenAt: new Date(atMs),
        // A slot that is not there holds nothing.
        state: walStatusOf(row?.status ?? null) ?? 'lost',
        lagBytes: bytesOf(row?.lag ?? null),
        lagSeconds: confirmed === null ? null : history.ageOf(BigInt(confirmed), atMs) / 1000,
        retainedBytes: bytesOf(row?.retained ?? null),
        safeBytes: bytesOf(row?.safe ?? null),
      }
      return last
    },
  }
}
