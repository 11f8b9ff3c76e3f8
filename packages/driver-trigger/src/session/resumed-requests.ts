import type { CaptureRequest, TableName } from '@rowtap/core/driver'

/** What a subscription captured when it last ran, as it can be asked for again: triggers capture every operation. */
export function resumedRequests(tables: readonly TableName[]): readonly CaptureRequest[] {
  return tables.map((table) => ({
    table,
    operations: new Set(['insert', 'update', 'delete', 'truncate']),
    columns: null,
    comparedEnums: new Set(),
  }))
}
