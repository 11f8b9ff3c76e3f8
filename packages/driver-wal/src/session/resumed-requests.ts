import type { CaptureRequest, Operation } from '@rowtap/core/driver'
import type { AttachedTable } from '../publication/attached-tables.ts'
import type { PublicationKind } from '../publication/capture-name.ts'

const OPERATIONS: Readonly<Record<PublicationKind, readonly Operation[]>> = {
  all: ['insert', 'update', 'delete', 'truncate'],
  inserts: ['insert', 'truncate'],
}

/** What a subscription captured when it last ran, as it can be asked for again. */
export function resumedRequests(tables: readonly AttachedTable[]): readonly CaptureRequest[] {
  return tables.map(({ table, kind }) => ({
    table,
    operations: new Set(OPERATIONS[kind]),
    columns: null,
    comparedEnums: new Set(),
  }))
}
