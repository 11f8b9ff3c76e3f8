import type { DriverNotice, ResumedRequest } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { CaptureWish } from './capture-set.ts'

/** What is told of a table of which a listener wants rows or columns that the subscription did not capture; `null`: nothing. */
export function lackingNotice(resumed: ResumedRequest, wish: CaptureWish, to: Position): DriverNotice | null {
  const { table } = resumed
  const what = whatIsLacking(resumed, wish)
  if (what === null) return null
  return {
    kind: 'gap',
    from: null,
    to,
    tables: [table],
    reason: `The subscription captured of ${formatTableName(table)} only what its listeners wanted when it last ran, and missed ${what} until now.`,
  }
}

function whatIsLacking(resumed: ResumedRequest, { columns, condition, rows, operations }: CaptureWish): string | null {
  if (resumed.rows === false && rows !== false) return 'every row'
  const values = resumed.lacking?.({
    columns: columns === null ? null : new Set(columns),
    where: condition === undefined || condition === null ? null : [condition],
  })
  // Who wants no rows wants to be told of an update of any column.
  const isTold = rows !== false || resumed.columns === null || !operations.has('update')
  const updates = isTold || !resumed.operations.has('update') ? null : 'updates of other columns'
  const lacking = [values, updates].filter((one) => one !== undefined && one !== null)
  return lacking.length === 0 ? null : lacking.join(' and ')
}
