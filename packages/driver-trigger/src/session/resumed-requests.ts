import type { CaptureRequest } from '@rowtap/core/driver'
import type { ConsumerState } from './consumer-state.ts'

/** What a subscription captured when it last ran, as it can be asked for again: triggers capture every operation. */
export function resumedRequests({
  wanted,
  withoutRows,
}: Pick<ConsumerState, 'wanted' | 'withoutRows'>): readonly CaptureRequest[] {
  return [...wanted].map(([oid, table]) => ({
    table,
    operations: new Set(['insert', 'update', 'delete', 'truncate']),
    columns: null,
    ...(withoutRows.has(oid) ? { rows: false } : {}),
    comparedEnums: new Set(),
  }))
}
