import type { ComparisonOperator } from './condition.ts'

/** Everything that a condition can ask of one column. */
export type ConditionOperator =
  | ComparisonOperator
  | 'in'
  | 'not in'
  | 'between'
  | 'not between'
  | 'is null'
  | 'is not null'
  | 'boolean'

/** Operators that need the same of a type. */
export type OperatorClass = 'equality' | 'inequality' | 'order' | 'like' | 'ilike' | 'null' | 'boolean'

interface OperatorFacts {
  /** What it needs of the type. */
  readonly class: OperatorClass
  /** How SQL spells it. */
  readonly sql: string
}

/** Every operator of a condition: total by type. */
export const OPERATORS: Readonly<Record<ConditionOperator, OperatorFacts>> = {
  eq: { class: 'equality', sql: '=' },
  neq: { class: 'inequality', sql: '<>' },
  'is distinct from': { class: 'equality', sql: 'IS DISTINCT FROM' },
  'is not distinct from': { class: 'equality', sql: 'IS NOT DISTINCT FROM' },
  in: { class: 'equality', sql: 'IN' },
  'not in': { class: 'inequality', sql: 'NOT IN' },
  lt: { class: 'order', sql: '<' },
  lte: { class: 'order', sql: '<=' },
  gt: { class: 'order', sql: '>' },
  gte: { class: 'order', sql: '>=' },
  between: { class: 'order', sql: 'BETWEEN' },
  'not between': { class: 'order', sql: 'NOT BETWEEN' },
  like: { class: 'like', sql: 'LIKE' },
  'not like': { class: 'like', sql: 'NOT LIKE' },
  ilike: { class: 'ilike', sql: 'ILIKE' },
  'not ilike': { class: 'ilike', sql: 'NOT ILIKE' },
  'is null': { class: 'null', sql: 'IS NULL' },
  'is not null': { class: 'null', sql: 'IS NOT NULL' },
  boolean: { class: 'boolean', sql: '' },
}
