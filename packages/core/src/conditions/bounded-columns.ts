import { bindCondition } from './bind-condition.ts'
import type { BoundCondition, NormalisedConstants } from './bound-condition.ts'
import type { ConditionColumn } from './column-type.ts'
import type { Condition } from './condition.ts'
import { isOfColumnsType, printedText } from './index-key.ts'
import type { ValueOrder } from './ordered-value.ts'
import { OrderedValue, valueOrder } from './ordered-value.ts'

/** One end of what a column may be. */
export interface ColumnBound {
  readonly text: string
  /** Whether the end itself may be. */
  readonly inclusive: boolean
}

/** A column that must lie between two ends, whatever else a condition asks. `null`: no end on that side. */
export interface BoundedColumn {
  /** The column's index in the relation. */
  readonly index: number
  /** The order of the column's values. */
  readonly order: ValueOrder
  readonly lower: ColumnBound | null
  readonly upper: ColumnBound | null
  /** Whether the condition asks nothing else: it is true of every row where the column lies between these ends. */
  readonly decides: boolean
}

/**
 * The columns that a condition confines: it is not true of a row where such a column is outside its ends, or NULL.
 * Only columns whose order is known in the process.
 */
export function boundedColumns(
  condition: Condition,
  columns: readonly ConditionColumn[],
  constants: NormalisedConstants,
): readonly BoundedColumn[] {
  const bounded = new Map<number, BoundedColumn>()
  let isOnlyBounds = true
  for (const part of conjuncts(bindCondition(condition, columns))) {
    const one = boundedBy(part, constants)
    if (one === null) isOnlyBounds = false
    else bounded.set(one.index, intersection(one, bounded.get(one.index)))
  }
  const decides = isOnlyBounds && bounded.size === 1
  return [...bounded.values()].map((one) => ({ ...one, decides }))
}

function conjuncts(condition: BoundCondition): readonly BoundCondition[] {
  return condition.kind === 'and' ? condition.conditions.flatMap(conjuncts) : [condition]
}

function boundedBy(condition: BoundCondition, constants: NormalisedConstants): BoundedColumn | null {
  if (condition.kind !== 'compare' || condition.constant === null || !isOfColumnsType(condition)) return null
  const { index, type, operator } = condition
  const isLower = operator === 'gt' || operator === 'gte'
  if (!isLower && operator !== 'lt' && operator !== 'lte') return null
  const order = valueOrder(type)
  const text = printedText(condition.constant, constants)
  if (order === null || text === undefined) return null
  const bound: ColumnBound = { text, inclusive: operator === 'gte' || operator === 'lte' }
  return { index, order, lower: isLower ? bound : null, upper: isLower ? null : bound, decides: true }
}

function intersection(one: BoundedColumn, other: BoundedColumn | undefined): BoundedColumn {
  if (other === undefined) return one
  const lower = tighter(one.lower, other.lower, 1, one.order)
  const upper = tighter(one.upper, other.upper, -1, one.order)
  return { ...one, lower, upper }
}

function tighter(
  one: ColumnBound | null,
  other: ColumnBound | null,
  sign: 1 | -1,
  order: ValueOrder,
): ColumnBound | null {
  if (one === null || other === null) return one ?? other
  const side = new OrderedValue(one.text, order).compare(new OrderedValue(other.text, order)) * sign
  if (side === 0) return one.inclusive ? other : one
  return side > 0 ? one : other
}
