import type { DriverNotice, TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { FIND_UNCAPTURED } from '../sql/install-statements.ts'
import { triggerNames } from './triggers.ts'

/**
 * Looks now and then whether captured tables still are, and gives notice of a gap, once, where one is not: it was
 * dropped, or somebody dropped its triggers or switched them off.
 */
export function captureWatch(
  connection: Connection,
  schema: string,
  consumer: string,
  nameOf: (oid: string) => TableName | undefined,
  notify: (notice: DriverNotice) => void,
): () => Promise<void> {
  const names = triggerNames(schema)
  let told = new Set<string>()
  return async () => {
    const rows = await connection.rows<{ oid: string }>(FIND_UNCAPTURED, [consumer, [names.row, names.truncate]])
    const uncaptured = new Set(rows.map(({ oid }) => oid))
    for (const oid of uncaptured) {
      const table = nameOf(oid)
      if (told.has(oid) || table === undefined) continue
      const reason = `The triggers of ${formatTableName(table)} are gone or switched off: its changes are not captured any more. Stop its listeners, and listen to it again.`
      notify({ kind: 'gap', from: null, to: null, reason })
    }
    told = uncaptured
  }
}
