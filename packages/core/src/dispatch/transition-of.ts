import type { Tuple } from '../contract/relation.ts'
import type { ProjectedColumn, Projection } from './projection.ts'
import type { RoutedChange } from './routed-change.ts'
import type { ConditionTruth } from './row-condition.ts'

/** What a change is for one listener. `snapshot`: a row that was read. `signal`: it is told that there was one. `derived`: an update moved the row into the condition, out of it, or to another key. */
export type Transition =
  | 'snapshot'
  | 'signal'
  | 'insert'
  | 'update'
  | 'delete'
  | 'truncate'
  | 'derived insert'
  | 'derived delete'
  | 'derived delete and insert'

/**
 * What a change is for a listener with this projection, of whose condition this much is known; `null`: nothing.
 *
 * | condition before | after | an update is | an update of the key is |
 * |---|---|---|---|
 * | true | true | an update | a delete and an insert |
 * | true | not | a delete | a delete |
 * | not | true | an insert | an insert |
 * | not | not | nothing | nothing |
 * | unknown | true | an update, maybe of a row that was not there | a delete, maybe of such a row, and an insert |
 * | unknown | not | a delete, maybe of such a row | a delete, maybe of such a row |
 */
export function transitionOf(routed: RoutedChange, projection: Projection, truth: ConditionTruth): Transition | null {
  switch (routed.change.kind) {
    case 'truncate':
      return 'truncate'
    case 'insert':
      return truth.after ? 'insert' : null
    case 'delete':
      return truth.before === false ? null : 'delete'
    case 'update':
      return ofUpdate(routed, projection, truth)
  }
}

/** The names of the columns that an update changed, compared as PostgreSQL prints them; `null` where the old row is not known. */
export function changedColumns(routed: RoutedChange, projection: Projection): string[] | null {
  if (!projection.knowsChanges) return null
  const { new: row, old } = routed.change
  // An update comes without an old row only where none of the columns that an old row has were changed.
  if (old === null) return []
  const names: string[] = []
  for (const column of projection.columns) if (differs(row, old, column)) names.push(column.name)
  return names
}

function ofUpdate(routed: RoutedChange, projection: Projection, truth: ConditionTruth): Transition | null {
  const { before, after } = truth
  if (before === false) return after ? 'derived insert' : null
  if (!after) return 'derived delete'
  const { new: row, old } = routed.change
  if (old !== null && projection.key.some((column) => differs(row, old, column))) {
    return 'derived delete and insert'
  }
  // Of a row that was not there before, every column is new.
  if (before === true && projection.onlyChanged && changesNothing(routed, projection)) return null
  return 'update'
}

function changesNothing(routed: RoutedChange, projection: Projection): boolean {
  if (!projection.knowsChanges) return false
  const { new: row, old } = routed.change
  return old === null || !projection.columns.some((column) => differs(row, old, column))
}

/** What was not sent with the new row is as it was. */
function differs(row: Tuple | null, old: Tuple, { index }: ProjectedColumn): boolean {
  if (row?.differs !== undefined) return row.differs(index, old)
  const before = old.text(index)
  const after = row?.text(index)
  return before !== undefined && after !== undefined && before !== after
}
