import type { Condition } from '@rowtap/core/conditions'
import { withPlaces } from '@rowtap/core/conditions'
import type { SyntaxNode } from '../syntax/syntax-tree.ts'
import { startOf } from '../syntax/syntax-tree.ts'
import type { NamedColumn } from './column-name.ts'
import type { Reading } from './reading.ts'

/** A column beside an operator. */
export interface ComparedColumn extends NamedColumn {
  /** Where the operator is, in bytes. */
  readonly operator: number
}

/**
 * The same condition, of which is remembered where it is written: its table may turn out not to suit it.
 *
 * @param constants in the order of the condition's constants
 */
export function placed<T extends Condition>(
  condition: T,
  column: ComparedColumn,
  constants: readonly SyntaxNode[],
  { source }: Reading,
): T {
  return withPlaces(condition, {
    text: source.text,
    column: source.offset(column.location),
    operator: source.offset(column.operator),
    constants: constants.map((node) => source.offset(startOf(node))),
  })
}

/** The same for a condition without an operator and constants: the column says it all. */
export function placedColumn<T extends Condition>(condition: T, column: NamedColumn, reading: Reading): T {
  return placed(condition, { ...column, operator: column.location }, [], reading)
}
