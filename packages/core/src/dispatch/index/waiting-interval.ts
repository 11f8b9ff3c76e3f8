import type { BoundedColumn, ColumnBound } from '../../conditions/bounded-columns.ts'
import type { ValueOrder } from '../../conditions/ordered-value.ts'
import { OrderedValue } from '../../conditions/ordered-value.ts'
import type { Boundaries } from './boundaries.ts'

/** What a column's value lies between; `null`: no end on that side. */
export type Interval = Pick<BoundedColumn, 'lower' | 'upper'>

/** An interval by its values, as long as it has no ranks: see {@link Boundaries}. */
export interface WaitingInterval {
  readonly lower: WaitingBound | null
  readonly upper: WaitingBound | null
}

interface WaitingBound {
  readonly value: OrderedValue
  readonly inclusive: boolean
}

/** Prepares an interval. */
export function waitingInterval({ lower, upper }: Interval, order: ValueOrder): WaitingInterval {
  return { lower: waitingBound(lower, order), upper: waitingBound(upper, order) }
}

/** Whether a value is inside. */
export function holds({ lower, upper }: WaitingInterval, value: OrderedValue): boolean {
  if (lower !== null) {
    const side = value.compare(lower.value)
    if (side < 0 || (side === 0 && !lower.inclusive)) return false
  }
  if (upper === null) return true
  const side = value.compare(upper.value)
  return side < 0 || (side === 0 && upper.inclusive)
}

/** The values at its ends. */
export function endsOf({ lower, upper }: WaitingInterval): readonly OrderedValue[] {
  return [lower, upper].flatMap((bound) => bound?.value ?? [])
}

/** The least rank inside: where the end itself is not, the next. No end is 0, which no end has. */
export function lowRank({ lower }: WaitingInterval, boundaries: Boundaries): number {
  return lower === null ? 0 : boundaries.rankOf(lower.value) + (lower.inclusive ? 0 : 1)
}

/** The greatest rank inside, in the same way. */
export function highRank({ upper }: WaitingInterval, boundaries: Boundaries): number {
  return upper === null ? NO_END : boundaries.rankOf(upper.value) - (upper.inclusive ? 0 : 1)
}

/** The number of the boundary at the low end of an interval of ranks; `null`: it has none. */
export function lowBoundary(low: number): number | null {
  return low === 0 ? null : (low - 1) >>> 1
}

/** The number of the boundary at the high end. */
export function highBoundary(high: number): number | null {
  return high === NO_END ? null : high >>> 1
}

/** Above every rank. */
const NO_END = 2 ** 31 - 1

function waitingBound(bound: ColumnBound | null, order: ValueOrder): WaitingBound | null {
  return bound === null ? null : { value: new OrderedValue(bound.text, order), inclusive: bound.inclusive }
}
