import type { RelationColumn, Tuple } from '../contract/relation.ts'

/** The value of a row's column as `pg` would return it; `undefined`: it was not sent. */
export function valueOf(tuple: Tuple, index: number, column: RelationColumn): unknown {
  if (tuple.value !== undefined) return tuple.value(index, column)
  const text = tuple.text(index)
  return text === null || text === undefined ? text : column.parse(text)
}
