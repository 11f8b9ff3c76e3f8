import type { DriverNotice, Position, TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'

/** What is told of tables that somebody else had taken out of the publication before they were captured again. */
export function takenOutGap(tables: readonly TableName[], to: Position | null): DriverNotice {
  const names = tables.map(formatTableName).join(', ')
  const reason = `Somebody took ${names} out of the publication. It is captured again: changes until now may have been missed.`
  return { kind: 'gap', from: null, to, tables, reason }
}
