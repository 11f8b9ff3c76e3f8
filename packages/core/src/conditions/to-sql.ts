import { quoteIdentifier } from '../contract/table-name.ts'
import { bindCondition } from './bind-condition.ts'
import type { BoundCondition, NormalisedConstants, TypedConstant } from './bound-condition.ts'
import { constantKey } from './bound-condition.ts'
import type { ConditionColumn } from './column-type.ts'
import type { Condition } from './condition.ts'
import { OPERATORS } from './operator.ts'

/**
 * A condition as the text of a boolean expression on a row of the table, with every name and constant quoted.
 *
 * @param constants the constants as PostgreSQL prints them, so that `'now'` is the same everywhere. Left out: as written.
 * @throws RowtapError ERR_INVALID_OPTIONS where the condition does not suit the table.
 */
export function toSql(
  condition: Condition,
  columns: readonly ConditionColumn[],
  constants: NormalisedConstants | null = null,
): string {
  return expression(bindCondition(condition, columns), constants)
}

/** Quotes a text as an SQL constant, so that it means the same whatever `standard_conforming_strings` is. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return quoted.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

function expression(condition: BoundCondition, constants: NormalisedConstants | null): string {
  switch (condition.kind) {
    case 'and':
      return joined(condition.conditions, ' AND ', 'TRUE', constants)
    case 'or':
      return joined(condition.conditions, ' OR ', 'FALSE', constants)
    case 'not':
      return `(NOT ${expression(condition.condition, constants)})`
    case 'constant':
      return condition.value === null ? NULL : condition.value ? 'TRUE' : 'FALSE'
    case 'null':
      return `(${quoteIdentifier(condition.column)} IS ${condition.negated ? 'NOT ' : ''}NULL)`
    case 'boolean':
      return condition.test === 'value'
        ? quoteIdentifier(condition.column)
        : `(${quoteIdentifier(condition.column)} ${condition.test.toUpperCase()})`
    case 'compare':
      return comparison(condition, constants)
    case 'in':
      return list(condition, constants)
  }
}

const NULL = 'CAST(NULL AS boolean)'

function joined(
  conditions: readonly BoundCondition[],
  operator: string,
  ofNone: string,
  constants: NormalisedConstants | null,
): string {
  if (conditions.length === 0) return ofNone
  return `(${conditions.map((part) => expression(part, constants)).join(operator)})`
}

function comparison(
  condition: Extract<BoundCondition, { readonly kind: 'compare' }>,
  constants: NormalisedConstants | null,
): string {
  const { operator, constant } = condition
  const { sql } = OPERATORS[operator]
  if (constant !== null) return `(${quoteIdentifier(condition.column)} ${sql} ${literal(constant, constants)})`
  if (operator === 'is distinct from' || operator === 'is not distinct from') {
    return `(${quoteIdentifier(condition.column)} ${sql} NULL)`
  }
  // Not `= NULL`, which is another thing under `transform_null_equals`.
  return NULL
}

function list(
  condition: Extract<BoundCondition, { readonly kind: 'in' }>,
  constants: NormalisedConstants | null,
): string {
  // SQL has no empty list.
  if (condition.constants.length === 0) return condition.negated ? 'TRUE' : 'FALSE'
  const { sql } = OPERATORS[condition.negated ? 'not in' : 'in']
  const texts = condition.constants.map((constant) => (constant === null ? 'NULL' : literal(constant, constants)))
  return `(${quoteIdentifier(condition.column)} ${sql} (${texts.join(', ')}))`
}

function literal(constant: TypedConstant, constants: NormalisedConstants | null): string {
  const normalised = constants?.get(constantKey(constant))
  const text = quoteLiteral(normalised ?? constant.text)
  if (!constant.explicit) return text
  return `CAST(${text} AS ${normalised === undefined ? constant.castName : (constant.comparedAs ?? constant.castName)})`
}
