import type { Condition } from './condition.ts'

/** Where in a text the parts of a condition on one column are, as indexes (in UTF-16 units, as JavaScript counts). */
export interface ConditionPlaces {
  readonly text: string
  readonly column: number
  readonly operator: number
  /** Of each constant, in the order of the condition's members. */
  readonly constants: readonly number[]
}

/** Beside the trees and not in them, so that a tree stays plain JSON. */
const PLACES = new WeakMap<object, ConditionPlaces>()

/**
 * Remembers where a condition was read from, for the errors that are found only when its table is known. Gives back
 * the same condition. It is forgotten where the tree is copied, stored or sent.
 */
export function withPlaces<T extends Condition>(condition: T, places: ConditionPlaces): T {
  PLACES.set(condition, places)
  return condition
}

/** Where a condition was read from; `null` where it was not read from a text. */
export function placesOf(condition: object): ConditionPlaces | null {
  return PLACES.get(condition) ?? null
}
