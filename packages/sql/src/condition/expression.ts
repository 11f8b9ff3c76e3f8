import type { BooleanCondition, Condition } from '@rowtap/core/conditions'
import { conditionDepth, DEEPEST_CONDITION } from '@rowtap/core/conditions'
import { TOO_DEEP } from '../syntax/parsed-text.ts'
import type { BooleanTestType, OperatorNode, SyntaxNode } from '../syntax/syntax-tree.ts'
import { arrayComparison } from './array-comparison.ts'
import type { NamedColumn } from './column-name.ts'
import { columnName } from './column-name.ts'
import { comparison, operatorOf, sidesOf } from './comparison.ts'
import { listCondition } from './list.ts'
import { boundValue } from './operand.ts'
import { patternCondition } from './pattern.ts'
import { rangeCondition } from './range.ts'
import { placedColumn } from './placed.ts'
import type { Reading } from './reading.ts'
import { operatorRefusal, refusal } from './refusal.ts'

const TESTS: Readonly<Record<BooleanTestType, BooleanCondition['test']>> = {
  IS_TRUE: 'is true',
  IS_NOT_TRUE: 'is not true',
  IS_FALSE: 'is false',
  IS_NOT_FALSE: 'is not false',
  IS_UNKNOWN: 'is unknown',
  IS_NOT_UNKNOWN: 'is not unknown',
}

/**
 * The condition that an expression is. What is refused is all that is not named here: a new kind of node too.
 *
 * @param levels how many AND, OR and NOT are around it
 * @throws RowtapError pointing at what is not part of a condition.
 */
export function expressionCondition(node: SyntaxNode, reading: Reading, levels: number = 0): Condition {
  if (node.BoolExpr !== undefined) {
    const conditions = node.BoolExpr.args.map((part) => expressionCondition(part, reading, levels + 1))
    switch (node.BoolExpr.boolop) {
      case 'AND_EXPR':
        return { kind: 'and', conditions: flat('and', conditions) }
      case 'OR_EXPR':
        return { kind: 'or', conditions: flat('or', conditions) }
      case 'NOT_EXPR': {
        const [condition] = conditions
        if (condition === undefined || conditions.length > 1) throw refusal(node, reading)
        return { kind: 'not', condition }
      }
    }
  }
  if (node.A_Expr !== undefined) {
    const condition = operatorCondition(node.A_Expr, reading)
    checkDepth(node, levels + conditionDepth(condition), reading)
    return condition
  }
  checkDepth(node, levels, reading)
  if (node.NullTest !== undefined) {
    const column = testedColumn(node.NullTest.arg, reading)
    const negated = node.NullTest.nulltesttype === 'IS_NOT_NULL'
    return placedColumn({ kind: 'null', column: column.name, negated }, column, reading)
  }
  if (node.BooleanTest !== undefined) {
    const column = testedColumn(node.BooleanTest.arg, reading)
    const test = TESTS[node.BooleanTest.booltesttype]
    return placedColumn({ kind: 'boolean', column: column.name, test }, column, reading)
  }
  const column = columnName(node, reading)
  if (column !== null) return placedColumn({ kind: 'boolean', column: column.name, test: 'value' }, column, reading)
  return constantCondition(node, reading)
}

/** An operator may itself be several conditions. */
function checkDepth(node: SyntaxNode, levels: number, reading: Reading): void {
  if (levels > DEEPEST_CONDITION) throw reading.source.error(TOO_DEEP, node)
}

function operatorCondition(node: OperatorNode, reading: Reading): Condition {
  switch (node.kind) {
    case 'AEXPR_OP':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
      return patternCondition(sidesOf(node, reading), operatorOf(node, reading), node.location, reading)
    case 'AEXPR_OP_ANY':
      return arrayComparison(node, 'or', reading)
    case 'AEXPR_OP_ALL':
      return arrayComparison(node, 'and', reading)
    case 'AEXPR_DISTINCT':
      return comparison(sidesOf(node, reading), 'is distinct from', node.location, reading)
    case 'AEXPR_NOT_DISTINCT':
      return comparison(sidesOf(node, reading), 'is not distinct from', node.location, reading)
    case 'AEXPR_IN':
      return listCondition(node, reading)
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM':
      return rangeCondition(node, reading)
    default:
      throw operatorRefusal(node, reading)
  }
}

/** `(a AND b) AND c` is one list of three, as `a AND b AND c` is. */
function flat(kind: 'and' | 'or', conditions: readonly Condition[]): readonly Condition[] {
  return conditions.flatMap((part) => (part.kind === kind ? part.conditions : [part]))
}

function testedColumn(node: SyntaxNode, reading: Reading): NamedColumn {
  const column = columnName(node, reading)
  if (column !== null) return column
  if (node.A_Const === undefined && node.ParamRef === undefined) throw refusal(node, reading)
  throw reading.source.error('IS asks about a column here, not about a constant.', node)
}

function constantCondition(node: SyntaxNode, reading: Reading): Condition {
  if (node.A_Const?.isnull === true) return { kind: 'constant', value: null }
  if (node.A_Const?.boolval !== undefined) return { kind: 'constant', value: node.A_Const.boolval.boolval ?? false }
  const bound = boundValue(node, reading)
  if (bound !== null && (typeof bound.value === 'boolean' || bound.value === null)) {
    return { kind: 'constant', value: bound.value }
  }
  if (bound === null && node.A_Const === undefined) throw refusal(node, reading)
  throw reading.source.error('A constant is no condition by itself, unless it is TRUE, FALSE or NULL.', node)
}
