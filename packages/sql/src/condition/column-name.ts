import type { SyntaxNode } from '../syntax/syntax-tree.ts'
import { namesOf } from '../syntax/syntax-tree.ts'
import type { Reading } from './reading.ts'

/** A column as it is written. */
export interface NamedColumn {
  readonly name: string
  /** Where it is, in bytes. */
  readonly location: number
}

/**
 * The column that a node names, or `null` where it is something else.
 *
 * @throws RowtapError where the name has a table before it, which a condition cannot know.
 */
export function columnName(node: SyntaxNode, reading: Reading): NamedColumn | null {
  if (node.ColumnRef === undefined) return null
  const { fields, location } = node.ColumnRef
  const names = namesOf(fields)
  if (names.length < fields.length) throw reading.source.error('A condition cannot contain * : name a column.', node)
  const [name] = names
  if (name === undefined || names.length > 1) {
    throw reading.source.error(
      `A condition is about one table: name the column without a table before it (${names.at(-1) ?? ''}).`,
      node,
    )
  }
  return { name, location }
}
