import type { OrderedValue } from '../../conditions/ordered-value.ts'

/**
 * The ends of many intervals, in order and each once. Where a value stands among them is a number, its rank: `2i + 1`
 * at the end number `i`, and `2i` below it and above the one before. Two ranks are compared instead of two values.
 */
export class Boundaries {
  readonly #texts: readonly string[]
  /** What the texts are approximately: most searches read nothing else. */
  readonly #near: Float64Array

  constructor(texts: readonly string[] = [], near: Float64Array = new Float64Array(0)) {
    this.#texts = texts
    this.#near = near
  }

  get size(): number {
    return this.#texts.length
  }

  /** Where a value stands. */
  rankOf(value: OrderedValue): number {
    let from = 0
    let to = this.#texts.length
    while (from < to) {
      const middle = (from + to) >>> 1
      const near = this.#near[middle] ?? Number.NaN
      // Most often the number settles it, and the text, which is somewhere else in the memory, is not touched.
      const side = value.near < near ? -1 : value.near > near ? 1 : value.compareWith(this.#texts[middle] ?? '', near)
      if (side === 0) return 2 * middle + 1
      if (side < 0) to = middle
      else from = middle + 1
    }
    return 2 * from
  }

  /** These without the ones that are not used any more, and with others. Takes O(n + m log n) for `m` others. */
  changed(isUsed: Uint8Array, others: readonly OrderedValue[]): ChangedBoundaries {
    const near = new Float64Array(this.#texts.length + others.length)
    const texts: string[] = []
    const moved = new Int32Array(this.#texts.length)
    let at = 0
    const keepBelow = (end: number): void => {
      for (; at < end; at++) {
        if (isUsed[at] === 0) continue
        moved[at] = texts.length
        near[texts.length] = this.#near[at] ?? Number.NaN
        texts.push(this.#texts[at] ?? '')
      }
    }
    let last: OrderedValue | null = null
    for (const other of others.toSorted((left, right) => left.compare(right))) {
      if (last !== null && last.compare(other) === 0) continue
      last = other
      const rank = this.rankOf(other)
      const below = rank >>> 1
      keepBelow(below)
      if (rank % 2 === 1) {
        isUsed[below] = 1
        continue
      }
      near[texts.length] = other.near
      texts.push(other.text)
    }
    keepBelow(this.#texts.length)
    return { boundaries: new Boundaries(texts, near.slice(0, texts.length)), moved }
  }
}

/** Boundaries made from others. */
export interface ChangedBoundaries {
  readonly boundaries: Boundaries
  /** What the number of each earlier boundary that is used is now. */
  readonly moved: Int32Array
}
