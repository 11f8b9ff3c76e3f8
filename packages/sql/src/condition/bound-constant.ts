import { RowtapError } from '@rowtap/core'
import type { Constant } from '@rowtap/core/conditions'
import { constantOf } from '@rowtap/core/conditions'
import type { SyntaxNode } from '../syntax/syntax-tree.ts'
import type { Reading } from './reading.ts'

/**
 * A bound value as a constant of the column's type.
 *
 * @throws RowtapError where it is no value of a column, pointing at `at`.
 */
export function boundConstant(value: unknown, name: string, at: SyntaxNode, reading: Reading): Constant {
  try {
    return constantOf(value, `The value of ${name}`)
  } catch (error) {
    if (!RowtapError.is(error)) throw error
    throw reading.source.error(error.message, at)
  }
}
