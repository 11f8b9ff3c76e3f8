import type { TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { FIND_PART_VERSIONS, FIND_PARTS } from '../sql/filter-statements.ts'
import { SHORT_LOCK_TIMEOUT, TAKE_INSTALL_LOCK } from '../sql/install-statements.ts'
import { SETTLE_SHAPE } from '../sql/queue-statements.ts'
import { isLockFailure } from './capture-table.ts'
import type { CapturedPart } from './captured-part.ts'
import { WHOLE } from './captured-part.ts'
import { GrowingRest } from './growing-rest.ts'
import type { RefusalNotices } from './refusal-notices.ts'
import { RefusedDefinition } from './refused-definition.ts'
import { captureFunction } from './table-function.ts'

/** Whose tables are looked after. */
export interface CaptureRefreshTask {
  readonly connection: Connection
  readonly schema: string
  readonly consumer: string
  /** The name that a captured table was asked for. */
  readonly nameOf: (oid: string) => TableName | undefined
  /** Hears of what is refused: until it is not, the functions go on as they are. */
  readonly refusals: RefusalNotices
}

/**
 * Looks whether what somebody wants of a consumer's tables, or their columns, are not what they were, and has the tables' own
 * functions capture just that again: when another client has ended, or a table was altered. Who comes to want more sees to
 * that.
 */
export function captureRefresh({
  connection,
  schema,
  consumer,
  nameOf,
  refusals,
}: CaptureRefreshTask): () => Promise<void> {
  let seen: ReadonlyMap<string, string | null> = new Map()
  const rests = new Map<string, GrowingRest>()

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

  /** Returns whether it is done. */
  const tryRefresh = async (oid: string): Promise<boolean> => {
    const rest = rests.get(oid) ?? new GrowingRest()
    if (!rest.isOver) return false
    try {
      await refresh(oid)
    } catch (error) {
      if (error instanceof RefusedDefinition) {
        rest.begin()
        rests.set(oid, rest)
        const table = nameOf(oid)
        const what = `What is captured of ${table === undefined ? 'a table' : formatTableName(table)} stays as it was.`
        refusals.refused(`function ${oid}`, `${what} ${error.message}`)
      } else if (!isLockFailure(error)) throw error
      return false
    }
    rests.delete(oid)
    refusals.done(`function ${oid}`)
    return true
  }

  return async () => {
    const rows = await connection.rows<{ oid: string; version: string | null }>(FIND_PART_VERSIONS, [consumer])
    const known = seen
    const found = new Map(rows.map(({ oid, version }) => [oid, version]))
    for (const [oid, version] of found) {
      if (known.has(oid) && known.get(oid) === version) continue
      if (await tryRefresh(oid)) continue
      // A later look tries again.
      found.delete(oid)
    }
    seen = found
  }
}
