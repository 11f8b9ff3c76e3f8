import type { Capabilities, CapabilityName } from '../capabilities/capabilities.ts'
import { cellOf } from '../capabilities/capabilities.ts'
import { conditionRefusal } from '../conditions/condition-refusal.ts'
import type { ComparisonOperator, Condition } from '../conditions/condition.ts'
import { unsupported } from './check-capability.ts'

type ConditionCell = Extract<CapabilityName, `conditions.${string}`>

const COMPARISONS: Readonly<Record<ComparisonOperator, ConditionCell>> = {
  eq: 'conditions.eq',
  neq: 'conditions.neq',
  lt: 'conditions.lt',
  lte: 'conditions.lte',
  gt: 'conditions.gt',
  gte: 'conditions.gte',
  like: 'conditions.like',
  'not like': 'conditions.notLike',
  ilike: 'conditions.ilike',
  'not ilike': 'conditions.notIlike',
  'is distinct from': 'conditions.isDistinctFrom',
  'is not distinct from': 'conditions.isNotDistinctFrom',
}

/** The cells of a manifest that say where a condition is evaluated. */
export function conditionCells(condition: Condition): readonly CapabilityName[] {
  const cell = cellOfCondition(condition)
  return ['conditions.where', ...(cell === null ? [] : [cell]), ...partsOf(condition).flatMap(conditionCells)]
}

/**
 * Refuses a condition that uses an operator to which the driver's manifest says `false`.
 *
 * @throws RowtapError ERR_CAPABILITY_UNSUPPORTED
 */
export function checkCondition(capabilities: Capabilities, condition: Condition): void {
  const cell = cellOfCondition(condition)
  if (cell !== null && cellOf(capabilities, cell) === false) {
    const what = `the operator '${cell.slice('conditions.'.length)}' in 'where'`
    const sentence = unsupported(capabilities, cell, what)
    throw conditionRefusal('ERR_CAPABILITY_UNSUPPORTED', sentence, condition, 'operator')
  }
  for (const part of partsOf(condition)) checkCondition(capabilities, part)
}

function partsOf(condition: Condition): readonly Condition[] {
  if (condition.kind === 'and' || condition.kind === 'or') return condition.conditions
  return condition.kind === 'not' ? [condition.condition] : []
}

function cellOfCondition(condition: Condition): ConditionCell | null {
  switch (condition.kind) {
    case 'and':
    case 'or':
    case 'not':
    case 'boolean':
      return `conditions.${condition.kind}`
    case 'compare':
      return COMPARISONS[condition.operator]
    case 'in':
      return condition.negated ? 'conditions.notIn' : 'conditions.in'
    case 'between':
      return condition.negated ? 'conditions.notBetween' : 'conditions.between'
    case 'null':
      return condition.negated ? 'conditions.isNotNull' : 'conditions.isNull'
    case 'constant':
      return null
  }
}
