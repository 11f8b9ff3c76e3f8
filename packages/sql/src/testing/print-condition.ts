import { quoteIdentifier } from '@rowtap/core'
import type { ComparisonOperator, Condition, Constant } from '@rowtap/core/conditions'

const OPERATORS: Readonly<Record<ComparisonOperator, string>> = {
  eq: '=',
  neq: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
  like: 'LIKE',
  'not like': 'NOT LIKE',
  ilike: 'ILIKE',
  'not ilike': 'NOT ILIKE',
  'is distinct from': 'IS DISTINCT FROM',
  'is not distinct from': 'IS NOT DISTINCT FROM',
}

/** A tree as the text of an SQL expression. */
export function printCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'and':
      return joined(condition.conditions, 'AND', 'TRUE')
    case 'or':
      return joined(condition.conditions, 'OR', 'FALSE')
    case 'not':
      return `(NOT ${printCondition(condition.condition)})`
    case 'constant':
      return condition.value === null ? 'NULL' : String(condition.value)
    case 'null':
      return `${quoteIdentifier(condition.column)} IS ${not(condition.negated)}NULL`
    case 'boolean': {
      const column = quoteIdentifier(condition.column)
      return condition.test === 'value' ? column : `${column} ${condition.test}`
    }
    case 'compare':
      return `${quoteIdentifier(condition.column)} ${OPERATORS[condition.operator]} ${printConstant(condition.constant)}`
    case 'in': {
      const { column, negated, constants } = condition
      if (constants.length === 0) return negated ? 'TRUE' : 'FALSE'
      return `${quoteIdentifier(column)} ${not(negated)}IN (${constants.map(printConstant).join(', ')})`
    }
    case 'between': {
      const { column, negated, low, high } = condition
      return `${quoteIdentifier(column)} ${not(negated)}BETWEEN ${printConstant(low)} AND ${printConstant(high)}`
    }
  }
}

function joined(conditions: readonly Condition[], word: string, ofNone: string): string {
  return conditions.length === 0 ? ofNone : `(${conditions.map(printCondition).join(` ${word} `)})`
}

function not(negated: boolean): string {
  return negated ? 'NOT ' : ''
}

function printConstant({ text, type }: Constant): string {
  if (text === null) return 'NULL'
  const quoted = `'${text.replaceAll("'", "''")}'`
  return type === null ? quoted : `CAST(${quoted} AS ${type})`
}
