import type { TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'

/** Since when a table is called as it is, as far as that can be told. */
export interface Naming {
  /** The transaction that gave it its name, its schema or its owner. */
  readonly written: string
  /** The object id of its owner. */
  readonly owner: number
}

/** Whether a table that is called as it was had another name meanwhile: its owner is the same, and yet this was written anew. */
export function wasRenamed(before: Naming | null, now: Naming | null): boolean {
  return before !== null && now !== null && before.owner === now.owner && before.written !== now.written
}

/** What is told of it. */
export function renamedReason(table: TableName): string {
  const name = formatTableName(table)
  return `${name} was called otherwise for a while: where another table had its name meanwhile, changes of that one were not captured.`
}
