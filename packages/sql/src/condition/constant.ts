import type { Constant } from '@rowtap/core/conditions'
import { boundConstant } from './bound-constant.ts'
import { castConstant } from './cast-constant.ts'
import type { Operand } from './operand.ts'
import type { Reading } from './reading.ts'

/**
 * The constant that an operand is beside a column; `true` or `false` for the words TRUE and FALSE, which are
 * comparable with booleans only.
 *
 * @throws RowtapError where a value or a cast cannot be honoured.
 */
export function constantBeside(column: string, operand: Operand, reading: Reading): Constant | boolean {
  const { literal, cast } = operand
  if (cast !== null) return castConstant(column, operand, cast, reading)
  switch (literal.kind) {
    case 'number':
      return { text: literal.text, type: literal.type }
    case 'quoted':
      return { text: literal.text, type: null }
    case 'boolean':
      return literal.value
    case 'null':
      return { text: null, type: null }
    case 'bound':
      return boundConstant(literal.value, literal.name, operand.node, reading)
  }
}
