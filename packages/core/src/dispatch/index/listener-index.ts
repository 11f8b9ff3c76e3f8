import type { FixedColumn } from '../../conditions/index-key.ts'
import { boundedColumns, fixedColumns, keyFunction } from '../../conditions/index-key.ts'
import type { Relation, Tuple } from '../../contract/relation.ts'
import type { ListenerCondition } from '../listener-condition.ts'
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
  /** Whether the member's condition is true of exactly those rows for which it is found, {@link UNKNOWN} aside. */
  readonly decides: boolean
}

/** Most members are in a hash, and theirs is smaller than a function with all that it refers to. */
class HashPlacement<M extends object> implements Placement {
  readonly decides: boolean
  readonly #index: HashIndex<M>
  readonly #member: M
  readonly #keys: readonly string[]

  constructor(index: HashIndex<M>, member: M, { keys, decides }: Pick<FixedColumn, 'keys' | 'decides'>) {
    this.#index = index
    this.#member = member
    this.#keys = keys
    this.decides = decides
  }

  remove(): void {
    this.#index.remove(this.#member, this.#keys)
  }
}

/**
 * Finds the members whose condition may be true of a row, without looking at the others: those that fix a column to
 * values by a hash, those that confine an ordered column by an interval tree. Whether the condition is true is tested
 * by the caller: the index only leaves out those of which it is not.
 */
export class ListenerIndex<M extends object> {
  readonly #relation: Relation
  readonly #hashes = new Map<number, HashIndex<M>>()
  readonly #intervals = new Map<number, IntervalIndex<M>>()
  readonly #rest = new Set<M>()

  constructor(relation: Relation) {
    this.#relation = relation
  }

  /** Adds a member with its condition; `null`: it wants every row. */
  add(member: M, condition: ListenerCondition | null): Placement {
    if (condition === null) return this.#addToRest(member)
    return this.#addFixed(member, condition) ?? this.#addBounded(member, condition) ?? this.#addToRest(member)
  }

  /**
   * Visits each member whose condition may be true of one of two versions of a row, some of them more than once. What
   * was not sent may be anything.
   */
  visit(before: Tuple | null, after: Tuple | null, visitor: Visitor<M>): void {
    for (const [column, index] of this.#hashes) visitEither(index, column, before, after, visitor)
    for (const [column, index] of this.#intervals) visitEither(index, column, before, after, visitor)
    for (const member of this.#rest) visitor(member, UNKNOWN)
  }

  /** By the column whose values have the fewest members so far: by `customer_id` rather than by `status`. */
  #addFixed(member: M, { tree, constants }: ListenerCondition): Placement | null {
    let best: (Pick<FixedColumn, 'keys' | 'decides'> & { readonly index: HashIndex<M>; readonly load: number }) | null =
      null
    for (const { index: column, keys, decides } of fixedColumns(tree, this.#relation.columns, constants)) {
      const index = this.#hashOf(column)
      if (index === null) continue
      const load = index.load(keys)
      if (best === null || load < best.load) best = { index, keys, decides, load }
    }
    if (best === null) return null
    best.index.add(member, best.keys)
    return new HashPlacement(best.index, member, best)
  }

  #addBounded(member: M, { tree, constants }: ListenerCondition): Placement | null {
    const all = boundedColumns(tree, this.#relation.columns, constants)
    // Two ends leave less than one.
    const bounded = all.find(({ lower, upper }) => lower !== null && upper !== null) ?? all[0]
    if (bounded === undefined) return null
    const index = this.#intervals.get(bounded.index) ?? new IntervalIndex<M>()
    this.#intervals.set(bounded.index, index)
    return { remove: index.add(member, bounded), decides: false }
  }

  #addToRest(member: M): Placement {
    this.#rest.add(member)
    const remove = (): void => {
      this.#rest.delete(member)
    }
    return { remove, decides: false }
  }

  #hashOf(column: number): HashIndex<M> | null {
    const known = this.#hashes.get(column)
    if (known !== undefined) return known
    const type = this.#relation.columns[column]?.type
    const keyOf = type === undefined ? null : keyFunction(type)
    if (keyOf === null) return null
    const index = new HashIndex<M>(keyOf)
    this.#hashes.set(column, index)
    return index
  }
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
