/** Intervals between whole numbers, both inside, each with a number of its own: those at one index belong together. */
export interface RankIntervals {
  readonly ids: Int32Array
  readonly lows: Int32Array
  readonly highs: Int32Array
}

/** Below every number that an interval may hold. */
const NOTHING = -1

/**
 * Intervals between whole numbers from 0, of which some are taken out and none is added. They lie in the order of their
 * lower ends; the middle of a stretch of them is the root of a tree over that stretch, and knows the greatest upper end
 * in it. A visit takes O(log n) for each interval that it finds. Nothing but arrays of numbers is read and written:
 * making the tree again does not go through the memory of its users.
 */
export class IntervalTree {
  readonly #ids: Int32Array
  readonly #lows: Int32Array
  readonly #highs: Int32Array
  readonly #greatest: Int32Array
  /** Where each id is. */
  readonly #places: Int32Array
  #size: number

  /**
   * @param lowEnd greater than every lower end
   * @param idEnd greater than every id
   */
  constructor({ ids, lows, highs }: RankIntervals, lowEnd: number, idEnd: number) {
    const { length } = ids
    this.#ids = new Int32Array(length)
    this.#lows = new Int32Array(length)
    this.#highs = new Int32Array(length)
    this.#greatest = new Int32Array(length)
    this.#places = new Int32Array(idEnd)
    this.#size = length
    const next = startsOf(lows, lowEnd)
    for (let at = 0; at < length; at++) {
      const low = lows[at] ?? 0
      const id = ids[at] ?? 0
      const place = next[low] ?? 0
      next[low] = place + 1
      this.#ids[place] = id
      this.#lows[place] = low
      this.#highs[place] = highs[at] ?? NOTHING
      this.#places[id] = place
    }
    this.#raise(0, length)
  }

  /** How many intervals there are. */
  get size(): number {
    return this.#size
  }

  /** How many were taken out. */
  get removed(): number {
    return this.#ids.length - this.#size
  }

  /** Visits each interval. */
  forEach(visitor: (id: number, low: number, high: number) => void): void {
    for (let place = 0; place < this.#ids.length; place++) {
      const id = this.#ids[place] ?? NOTHING
      if (id !== NOTHING) visitor(id, this.#lows[place] ?? 0, this.#highs[place] ?? NOTHING)
    }
  }

  /** Visits the ids of the intervals that hold a number. */
  visit(value: number, visitor: (id: number) => void): void {
    this.#visit(0, this.#ids.length, value, visitor)
  }

  /** Takes out the interval of an id. */
  remove(id: number): void {
    const place = this.#places[id] ?? 0
    this.#ids[place] = NOTHING
    this.#highs[place] = NOTHING
    this.#size -= 1
    this.#lower(0, this.#ids.length, place)
  }

  #visit(start: number, end: number, value: number, visitor: (id: number) => void): void {
    let from = start
    while (from < end) {
      const middle = (from + end) >>> 1
      if ((this.#greatest[middle] ?? NOTHING) < value) return
      this.#visit(from, middle, value, visitor)
      // Everything to the right begins where this one does, or after it.
      if ((this.#lows[middle] ?? 0) > value) return
      if ((this.#highs[middle] ?? NOTHING) >= value) visitor(this.#ids[middle] ?? NOTHING)
      from = middle + 1
    }
  }

  /** Computes the greatest upper ends in a stretch. */
  #raise(from: number, to: number): number {
    if (from >= to) return NOTHING
    const middle = (from + to) >>> 1
    const below = Math.max(this.#raise(from, middle), this.#raise(middle + 1, to))
    const greatest = Math.max(below, this.#highs[middle] ?? NOTHING)
    this.#greatest[middle] = greatest
    return greatest
  }

  /** Computes them again on the way to a place. */
  #lower(from: number, to: number, place: number): void {
    const middle = (from + to) >>> 1
    if (place < middle) this.#lower(from, middle, place)
    else if (place > middle) this.#lower(middle + 1, to, place)
    const below = Math.max(this.#greatestIn(from, middle), this.#greatestIn(middle + 1, to))
    this.#greatest[middle] = Math.max(below, this.#highs[middle] ?? NOTHING)
  }

  #greatestIn(from: number, to: number): number {
    return from < to ? (this.#greatest[(from + to) >>> 1] ?? NOTHING) : NOTHING
  }
}

/** Where the intervals of each lower end begin when they are sorted by it. */
function startsOf(lows: Int32Array, end: number): Int32Array {
  const starts = new Int32Array(end + 1)
  for (const low of lows) starts[low + 1] = (starts[low + 1] ?? 0) + 1
  for (let low = 1; low <= end; low++) starts[low] = (starts[low] ?? 0) + (starts[low - 1] ?? 0)
  return starts
}
