import type { DriverNotice, ResumedRequest } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { CaptureWish } from './capture-set.ts'

/** What is told of a table of which a listener wants rows or columns that the subscription did not capture; `null`: nothing. */
export function lackingNotice(
  { table, lacking, rows: capturedRows }: ResumedRequest,
  { columns, condition, rows: wantedRows }: CaptureWish,
  to: Position,
): DriverNotice | null {
  const areRowsLacking = capturedRows === false && wantedRows !== false
  const what = areRowsLacking
    ? 'every row'
    : lacking?.({
        columns: columns === null ? null : new Set(columns),
        where: condition === undefined || condition === null ? null : [condition],
      })
  if (what === undefined || what === null) return null
  return {
    kind: 'gap',
    from: null,
    to,
    tables: [table],
    reason: `The subscription captured of ${formatTableName(table)} only what its listeners wanted when it last ran, and missed ${what} until now.`,
  }
}
