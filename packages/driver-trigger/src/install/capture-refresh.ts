import type { Connection } from '../connection/connection.ts'
import { FIND_PART_VERSIONS, FIND_PARTS } from '../sql/filter-statements.ts'
import { SHORT_LOCK_TIMEOUT, TAKE_INSTALL_LOCK } from '../sql/install-statements.ts'
import { SETTLE_SHAPE } from '../sql/queue-statements.ts'
import { isLockFailure } from './capture-table.ts'
import type { CapturedPart } from './captured-part.ts'
import { WHOLE } from './captured-part.ts'
import { captureFunction } from './table-function.ts'

/** Whose tables are looked after. */
export interface CaptureRefreshTask {
  readonly connection: Connection
  readonly schema: string
  readonly consumer: string
}

/**
 * Looks whether what somebody wants of a consumer's tables, or their columns, are not what they were, and has the tables' own
 * functions capture just that again: when another client has ended, or a table was altered. Who comes to want more sees to
 * that.
 */
export function captureRefresh({ connection, schema, consumer }: CaptureRefreshTask): () => Promise<void> {
  let seen: ReadonlyMap<string, string | null> = new Map()

  const refresh = (oid: string): Promise<void> =>
    connection.transaction(async (queries) => {
      await queries.run(SHORT_LOCK_TIMEOUT)
      await queries.rows(TAKE_INSTALL_LOCK)
      await queries.rows(SETTLE_SHAPE, [oid])
      const rows = await queries.rows<{ part: CapturedPart | null }>(FIND_PARTS, ['0', oid])
      const parts = rows.map(({ part }) => part ?? WHOLE)
      // One that is captured by the common function goes on so.
      if (parts.length > 0) await captureFunction(queries, { schema, oid, pushesDown: false }, parts)
    })

  return async () => {
    const rows = await connection.rows<{ oid: string; version: string | null }>(FIND_PART_VERSIONS, [consumer])
    const known = seen
    const found = new Map(rows.map(({ oid, version }) => [oid, version]))
    for (const [oid, version] of found) {
      if (known.has(oid) && known.get(oid) === version) continue
      try {
        await refresh(oid)
      } catch (error) {
        if (!isLockFailure(error)) throw error
        // The next look tries again.
        found.delete(oid)
      }
    }
    seen = found
  }
}
