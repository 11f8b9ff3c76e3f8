import type { Condition } from '../../conditions/condition.ts'
import { checkedKeyFunction } from '../../conditions/index-key.ts'
import type { Relation, Tuple } from '../../contract/relation.ts'
import type { ListenerCondition } from '../listener-condition.ts'
import { boundedParts, fixedParts } from './condition-part.ts'
import type { Found } from './found.ts'
import { AFTER, BEFORE, UNKNOWN } from './found.ts'
import { HashIndex } from './hash-index.ts'
import { IntervalIndex } from './interval-index.ts'

/** Is told of a member, and of which version of the row it was found for. */
export type Visitor<M> = (member: M, found: Found) => void

/** Where a member is. */
export interface Placement {
  /** Takes the member out of the index. */
  remove(): void
}

/** What became of a member that was added. */
export interface Added {
  readonly placement: Placement
  /**
   * What the member's condition asks besides: it is true of exactly those rows for which the member is found and of which
   * the rest is true, {@link UNKNOWN} aside. `null`: nothing.
   */
  readonly rest: Condition | null
}

/** Most members are in a hash, and theirs is smaller than a function with all that it refers to. */
class HashPlacement<M extends object> implements Placement {
  readonly #index: HashIndex<M>
  readonly #member: M
  readonly #keys: readonly string[]

  constructor(index: HashIndex<M>, member: M, keys: readonly string[]) {
    this.#index = index
    this.#member = member
    this.#keys = keys
    index.add(member, keys)
  }

  remove(): void {
    this.#index.remove(this.#member, this.#keys)
  }
}

/** A place where a member can be, among about so many others that are found with it. */
interface Choice<M> {
  readonly load: number
  readonly rest: Condition | null
  place(member: M): Placement
}

/** So many members that have one value in common are not worth looking for another column. */
const FEW = 2

/**
 * Finds the members whose condition may be true of a row, without looking at the others: those that fix a column to
 * values by a hash, those that confine an ordered column by an index of intervals.
 */
export class ListenerIndex<M extends object> {
  readonly #relation: Relation
  readonly #hashes = new Map<number, HashIndex<M>>()
  readonly #intervals = new Map<number, IntervalIndex<M>>()
  readonly #others = new Set<M>()
  /** The same, to be gone through with each change; `null` where it has to be made anew. */
  #othersInTurn: readonly M[] | null = null

  constructor(relation: Relation) {
    this.#relation = relation
  }

  /** Adds a member with its condition; `null`: it wants every row. */
  add(member: M, condition: ListenerCondition | null): Added {
    const best = condition === null ? null : this.#choice(condition)
    if (best === null) return { placement: this.#addToOthers(member), rest: null }
    return { placement: best.place(member), rest: best.rest }
  }

  /**
   * Visits each member whose condition may be true of one of two versions of a row, some of them more than once. What
   * was not sent may be anything.
   */
  visit(before: Tuple | null, after: Tuple | null, visitor: Visitor<M>): void {
    // To go through what is empty costs as much as all else does for a change that nobody wants.
    if (this.#hashes.size > 0)
      for (const [column, index] of this.#hashes) visitEither(index, column, before, after, visitor)
    if (this.#intervals.size > 0) {
      for (const [column, index] of this.#intervals) visitEither(index, column, before, after, visitor)
    }
    this.#othersInTurn ??= [...this.#others]
    for (const member of this.#othersInTurn) visitor(member, UNKNOWN)
  }

  #choice(condition: ListenerCondition): Choice<M> | null {
    const fixed = fewest(this.#fixed(condition))
    if (fixed !== null && fixed.load <= FEW) return fixed
    const bounded = fewest(this.#bounded(condition))
    return fixed === null || (bounded !== null && bounded.load < fixed.load) ? bounded : fixed
  }

  /** By the column whose values have the fewest members so far: by `customer_id` rather than by `status`. */
  #fixed(condition: ListenerCondition): readonly Choice<M>[] {
    return fixedParts(condition, this.#relation).flatMap(({ index: column, keys, rest }) => {
      const index = this.#hashOf(column)
      if (index === null) return []
      return { load: index.load(keys), rest, place: (member) => new HashPlacement(index, member, keys) }
    })
  }

  /** In the same way, by the column for whose end the fewest members are found. */
  #bounded(condition: ListenerCondition): readonly Choice<M>[] {
    return boundedParts(condition, this.#relation).map(({ index: column, order, lower, upper, rest }) => {
      const index = this.#intervals.get(column) ?? new IntervalIndex<M>(order)
      this.#intervals.set(column, index)
      return { load: index.load({ lower, upper }), rest, place: (member) => index.add(member, { lower, upper }) }
    })
  }

  #addToOthers(member: M): Placement {
    this.#others.add(member)
    this.#othersInTurn = null
    const remove = (): void => {
      this.#others.delete(member)
      this.#othersInTurn = null
    }
    return { remove }
  }

  #hashOf(column: number): HashIndex<M> | null {
    const known = this.#hashes.get(column)
    if (known !== undefined) return known
    const type = this.#relation.columns[column]?.type
    const keyOf = type === undefined ? null : checkedKeyFunction(type)
    if (keyOf === null) return null
    const index = new HashIndex<M>(keyOf)
    this.#hashes.set(column, index)
    return index
  }
}

function fewest<M>(choices: readonly Choice<M>[]): Choice<M> | null {
  let best: Choice<M> | null = null
  for (const choice of choices) if (best === null || choice.load < best.load) best = choice
  return best
}

interface ColumnIndex<M> {
  readonly isEmpty: boolean
  visit(text: string | null | undefined, visitor: Visitor<M>, found: Found): void
}

function visitEither<M>(
  index: ColumnIndex<M>,
  column: number,
  before: Tuple | null,
  after: Tuple | null,
  visitor: Visitor<M>,
): void {
  if (index.isEmpty) return
  const text = after === null ? null : after.text(column)
  const old = before === null ? null : before.text(column)
  if (text === undefined || old === undefined) index.visit(undefined, visitor, UNKNOWN)
  else if (text === old) index.visit(text, visitor, BEFORE | AFTER)
  else {
    index.visit(text, visitor, AFTER)
    index.visit(old, visitor, BEFORE)
  }
}
