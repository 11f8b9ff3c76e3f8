import type { BoundCondition, NormalisedConstants, TypedConstant } from './bound-condition.ts'
import { constantKey } from './bound-condition.ts'
import { bindCondition } from './bind-condition.ts'
import type { ColumnType, ConditionColumn } from './column-type.ts'
import type { TextOrder } from './comparison/comparison.ts'
import { comparisonOf } from './comparison/comparison-of.ts'
import type { Condition } from './condition.ts'
import { operatorSupport } from './operator-support.ts'

/**
 * Makes of a value's text a string that is the same for two values exactly where PostgreSQL's `=` is true of them;
 * `null` for types of which that is not known in the process.
 */
export function keyFunction(type: ColumnType): ((text: string) => string) | null {
  if (operatorSupport(type, 'eq').where !== 'process') return null
  return comparisonOf(type)?.key ?? null
}

/** Compares two values' texts in PostgreSQL's order; `null` for types whose order is not known in the process. */
export function orderFunction(type: ColumnType): ((left: string, right: string) => number) | null {
  if (operatorSupport(type, 'lt').where !== 'process') return null
  const compareTo = comparisonOf(type)?.compareTo
  if (compareTo === undefined || compareTo === null) return null
  return (left, right) => compareTo(right)(left)
}

/** A column that must have one of some values, whatever else a condition asks. */
export interface FixedColumn {
  /** The column's index in the relation. */
  readonly index: number
  /** The keys of those values, as {@link keyFunction} makes them of the column's text. */
  readonly keys: readonly string[]
  /** Whether the condition asks nothing else: it is true of every row where the column's key is one of `keys`. */
  readonly decides: boolean
}

/**
 * The columns that a condition fixes to values: it is not true of a row where such a column's key is none of `keys`,
 * or where the column is NULL. An index over listeners is made of one of them.
 */
export function fixedColumns(
  condition: Condition,
  columns: readonly ConditionColumn[],
  constants: NormalisedConstants,
): readonly FixedColumn[] {
  return fixedIn(bindCondition(condition, columns), constants)
}

function fixedIn(condition: BoundCondition, constants: NormalisedConstants): readonly FixedColumn[] {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.conditions.flatMap((part) => fixedIn(part, constants))
      return condition.conditions.length === 1 ? parts : parts.map((part) => ({ ...part, decides: false }))
    }
    case 'compare':
      return condition.operator === 'eq' ? fixed(condition, [condition.constant], constants) : []
    case 'in':
      return condition.negated ? [] : fixed(condition, condition.constants, constants)
    case 'boolean':
      if (condition.test !== 'value' && condition.test !== 'is true') return []
      return [{ index: condition.index, keys: ['t'], decides: true }]
    case 'or':
    case 'not':
    case 'null':
    case 'constant':
      return []
  }
}

function fixed(
  condition: Extract<BoundCondition, { readonly kind: 'compare' | 'in' }>,
  list: readonly (TypedConstant | null)[],
  constants: NormalisedConstants,
): readonly FixedColumn[] {
  const { index, type } = condition
  if (!isOfColumnsType(condition)) return []
  const key = keyFunction(type)
  if (key === null) return []
  const keys = new Set<string>()
  for (const constant of list) {
    if (constant === null) continue
    const text = constants.get(constantKey(constant))
    if (text === undefined) return []
    keys.add(key(text))
  }
  return [{ index, keys: [...keys], decides: true }]
}

/** A constant of another type than the column's can be equal to several values, and its text is not theirs. */
function isOfColumnsType({ type, as }: Extract<BoundCondition, { readonly kind: 'compare' | 'in' }>): boolean {
  return as === null || (type.kind === 'base' && (type.name === as || (isInteger(type.name) && isInteger(as))))
}

function isInteger(type: string): boolean {
  return type === 'int2' || type === 'int4' || type === 'int8'
}

/** One end of what a column may be. */
export interface ColumnBound {
  readonly text: string
  /** Compares a value's text with this end. */
  readonly order: TextOrder
}

/** A column that must lie between two ends, whatever else a condition asks. `null`: no end on that side. */
export interface BoundedColumn {
  /** The column's index in the relation. */
  readonly index: number
  readonly lower: ColumnBound | null
  readonly upper: ColumnBound | null
}

/**
 * The columns that a condition confines: it is not true of a row where such a column is less than `lower`, greater
 * than `upper`, or NULL. An end itself need not be inside. Only columns whose order is known in the process.
 */
export function boundedColumns(
  condition: Condition,
  columns: readonly ConditionColumn[],
  constants: NormalisedConstants,
): readonly BoundedColumn[] {
  const bounded = new Map<number, BoundedColumn>()
  for (const one of boundedIn(bindCondition(condition, columns), constants)) {
    const other = bounded.get(one.index)
    const lower = tighter(one.lower, other?.lower ?? null, 1)
    const upper = tighter(one.upper, other?.upper ?? null, -1)
    bounded.set(one.index, { index: one.index, lower, upper })
  }
  return [...bounded.values()]
}

function boundedIn(condition: BoundCondition, constants: NormalisedConstants): readonly BoundedColumn[] {
  if (condition.kind === 'and') return condition.conditions.flatMap((part) => boundedIn(part, constants))
  if (condition.kind !== 'compare' || condition.constant === null || !isOfColumnsType(condition)) return []
  const { index, type, operator } = condition
  const isLower = operator === 'gt' || operator === 'gte'
  if (!isLower && operator !== 'lt' && operator !== 'lte') return []
  const compareTo = operatorSupport(type, 'lt').where === 'process' ? comparisonOf(type)?.compareTo : null
  const text = constants.get(constantKey(condition.constant))
  if (text === undefined || compareTo === null || compareTo === undefined) return []
  const bound = { text, order: compareTo(text) }
  return [{ index, lower: isLower ? bound : null, upper: isLower ? null : bound }]
}

function tighter(one: ColumnBound | null, other: ColumnBound | null, sign: 1 | -1): ColumnBound | null {
  if (one === null || other === null) return one ?? other
  return one.order(other.text) * sign > 0 ? other : one
}
