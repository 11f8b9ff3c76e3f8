import type { ValueOrder } from '../../conditions/ordered-value.ts'
import { OrderedValue } from '../../conditions/ordered-value.ts'
import { Boundaries } from './boundaries.ts'
import type { Found } from './found.ts'
import type { RankIntervals } from './interval-tree.ts'
import { IntervalTree } from './interval-tree.ts'
import type { Interval, WaitingInterval } from './waiting-interval.ts'
import { endsOf, highBoundary, highRank, holds, lowBoundary, lowRank, waitingInterval } from './waiting-interval.ts'

/** Of a placement that is in no index any more. */
const GONE = -1

/** A member in an index of intervals. */
export class IntervalPlacement<M extends object> {
  readonly member: M
  /** Its id in the tree, or where it is among those that wait. */
  place: number
  /** Held as long as the member waits to be in the tree. */
  waiting: WaitingInterval | null
  readonly #index: IntervalIndex<M>

  constructor(index: IntervalIndex<M>, member: M, place: number, waiting: WaitingInterval) {
    this.#index = index
    this.member = member
    this.place = place
    this.waiting = waiting
  }

  remove(): void {
    this.#index.remove(this)
  }
}

/**
 * Finds the members whose interval holds a value. The intervals are in a tree that is made as a whole; those that came
 * since are looked at one by one, and when there are too many of them, the next visit makes the tree again. That takes
 * O(n), but seldom enough that adding a member costs O(√n) on the average; a visit takes that and O(log n) for each
 * member that it finds.
 */
export class IntervalIndex<M extends object> {
  readonly #order: ValueOrder
  #boundaries = new Boundaries()
  #tree: IntervalTree = new IntervalTree(rankIntervals(0), 0, 0)
  /** Those in the tree, by their ids. */
  #placed: (IntervalPlacement<M> | null)[] = []
  /** Ids that nobody has. */
  #free: number[] = []
  #waiting: IntervalPlacement<M>[] = []

  constructor(order: ValueOrder) {
    this.#order = order
  }

  get isEmpty(): boolean {
    return this.#tree.size === 0 && this.#waiting.length === 0
  }

  /** About how many members want the value at one end of an interval: those that came lately are not counted. */
  load({ lower, upper }: Interval): number {
    // Seldom enough that adding many members, one after the other, costs O(1) for each.
    if (this.#waiting.length > 32 + this.#tree.size / 2) this.#makeTree()
    const end = lower ?? upper
    let sum = 0
    if (end !== null) this.#tree.visit(this.#boundaries.rankOf(new OrderedValue(end.text, this.#order)), () => sum++)
    return sum
  }

  /** Adds a member with the interval of the values that it wants. */
  add(member: M, interval: Interval): IntervalPlacement<M> {
    const waiting = waitingInterval(interval, this.#order)
    const placement = new IntervalPlacement(this, member, this.#waiting.length, waiting)
    this.#waiting.push(placement)
    return placement
  }

  /** Removes a member, unless that was done. */
  remove(placement: IntervalPlacement<M>): void {
    const { place, waiting } = placement
    if (place === GONE) return
    placement.place = GONE
    placement.waiting = null
    if (waiting === null) this.#removeFromTree(place)
    else this.#removeWaiting(place)
  }

  /** Visits the members that want a value, each once: none for NULL, and all for a value that is not known. */
  visit(text: string | null | undefined, visitor: (member: M, found: Found) => void, found: Found): void {
    if (text === null) return
    if (text === undefined) {
      for (const placement of this.#placed) if (placement !== null) visitor(placement.member, found)
      for (const { member } of this.#waiting) visitor(member, found)
      return
    }
    if (this.#waiting.length > 32 + Math.sqrt(this.#tree.size) / 4) this.#makeTree()
    const value = new OrderedValue(text, this.#order)
    if (this.#tree.size > 0) {
      this.#tree.visit(this.#boundaries.rankOf(value), (id) => {
        const placement = this.#placed[id]
        if (placement !== null && placement !== undefined) visitor(placement.member, found)
      })
    }
    for (const { member, waiting } of this.#waiting) {
      if (waiting !== null && holds(waiting, value)) visitor(member, found)
    }
  }

  #removeWaiting(place: number): void {
    const last = this.#waiting.pop()
    if (last === undefined || last.place === GONE) return
    this.#waiting[place] = last
    last.place = place
  }

  #removeFromTree(id: number): void {
    this.#tree.remove(id)
    this.#placed[id] = null
    this.#free.push(id)
    // What is kept for those that are gone is no more than what is kept for the others.
    if (this.#tree.removed > this.#tree.size + 32) this.#makeTree()
  }

  /** Makes the tree of all intervals, with the boundaries that they have. */
  #makeTree(): void {
    const waiting = this.#waiting.map((placement) => ({ placement, interval: placement.waiting ?? EVERYTHING }))
    const ends = waiting.flatMap(({ interval }) => endsOf(interval))
    const { boundaries, moved } = this.#boundaries.changed(this.#usedBoundaries(), ends)
    const intervals = rankIntervals(this.#tree.size + waiting.length)
    let at = 0
    const add = (id: number, low: number, high: number): void => {
      intervals.ids[at] = id
      intervals.lows[at] = low
      intervals.highs[at] = high
      at += 1
    }
    const known = this.#placed
    const isSparse = this.#free.length > this.#tree.size
    if (isSparse) {
      this.#placed = []
      this.#free = []
    }
    this.#tree.forEach((id, low, high) => {
      const placement = known[id] ?? null
      const kept = isSparse && placement !== null ? this.#give(placement) : id
      add(kept, movedBy(low, lowBoundary(low), moved), movedBy(high, highBoundary(high), moved))
    })
    for (const { placement, interval } of waiting) {
      add(this.#give(placement), lowRank(interval, boundaries), highRank(interval, boundaries))
    }
    this.#waiting = []
    this.#boundaries = boundaries
    this.#tree = new IntervalTree(intervals, 2 * boundaries.size + 1, this.#placed.length)
  }

  /** Gives an id to a member that is to be in the tree. */
  #give(placement: IntervalPlacement<M>): number {
    const id = this.#free.pop() ?? this.#placed.length
    this.#placed[id] = placement
    placement.place = id
    placement.waiting = null
    return id
  }

  #usedBoundaries(): Uint8Array {
    const isUsed = new Uint8Array(this.#boundaries.size)
    this.#tree.forEach((_, low, high) => {
      const lower = lowBoundary(low)
      const upper = highBoundary(high)
      if (lower !== null) isUsed[lower] = 1
      if (upper !== null) isUsed[upper] = 1
    })
    return isUsed
  }
}

const EVERYTHING: WaitingInterval = { lower: null, upper: null }

function rankIntervals(length: number): RankIntervals {
  return { ids: new Int32Array(length), lows: new Int32Array(length), highs: new Int32Array(length) }
}

/** A rank by where the boundary that it is made of is now. */
function movedBy(rank: number, boundary: number | null, moved: Int32Array): number {
  return boundary === null ? rank : rank + 2 * ((moved[boundary] ?? boundary) - boundary)
}
