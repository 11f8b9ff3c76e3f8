import { orderFunction } from '../conditions/index-key.ts'
import type { Relation } from '../contract/relation.ts'
import type { KeyTexts } from '../contract/snapshot-source.ts'

/** Finds the number of boundaries that are smaller than a key. */
export interface KeyPlaceFinder {
  /** `null` where that has to be found first. */
  placeOf(key: KeyTexts, boundaries: readonly KeyTexts[], version: number): number | null
  /** Finds the places of these keys, so that `placeOf` knows them as long as the version is the same. */
  find(keys: readonly KeyTexts[], boundaries: readonly KeyTexts[], version: number): Promise<void>
}

/** Compares keys in the database: `compareKeys` of the driver's snapshot source. */
export type CompareKeys = (keys: readonly KeyTexts[], boundaries: readonly KeyTexts[]) => Promise<readonly number[]>

/**
 * How a table's keys are compared: in the process where that is exact for the types of all columns, and by the database
 * otherwise.
 */
export function keyPlaceFinder(
  relation: Relation,
  columns: readonly string[],
  compareKeys: CompareKeys,
): KeyPlaceFinder {
  const order = keyOrder(relation, columns)
  return order === null ? new DatabasePlaces(compareKeys) : processPlaces(order)
}

type KeyOrder = (left: KeyTexts, right: KeyTexts) => number

function keyOrder(relation: Relation, columns: readonly string[]): KeyOrder | null {
  const orders: ((left: string, right: string) => number)[] = []
  for (const name of columns) {
    const type = relation.columns.find((column) => column.name === name)?.type
    // An enumeration may get new labels anywhere while its table is read.
    const order = type?.kind === 'base' ? orderFunction(type) : null
    if (order === null) return null
    orders.push(order)
  }
  return (left, right) => {
    for (const [index, order] of orders.entries()) {
      const result = order(left[index] ?? '', right[index] ?? '')
      if (result !== 0) return result
    }
    return 0
  }
}

function processPlaces(order: KeyOrder): KeyPlaceFinder {
  return {
    placeOf(key, boundaries) {
      let low = 0
      let high = boundaries.length
      while (low < high) {
        const middle = (low + high) >>> 1
        const boundary = boundaries[middle]
        if (boundary !== undefined && order(boundary, key) < 0) low = middle + 1
        else high = middle
      }
      return low
    },
    find: () => Promise.resolve(),
  }
}

class DatabasePlaces implements KeyPlaceFinder {
  readonly #compareKeys: CompareKeys
  readonly #known = new Map<string, number>()
  #version = -1

  constructor(compareKeys: CompareKeys) {
    this.#compareKeys = compareKeys
  }

  placeOf(key: KeyTexts, boundaries: readonly KeyTexts[], version: number): number | null {
    if (boundaries.length === 0) return 0
    return (version === this.#version ? this.#known.get(JSON.stringify(key)) : undefined) ?? null
  }

  async find(keys: readonly KeyTexts[], boundaries: readonly KeyTexts[], version: number): Promise<void> {
    if (boundaries.length === 0) return
    // What was found for the changes before these is not asked for again.
    this.#known.clear()
    this.#version = version
    const wanted = new Map(keys.map((key) => [JSON.stringify(key), key]))
    const places = await this.#compareKeys([...wanted.values()], boundaries)
    if (this.#version !== version) return
    for (const [index, text] of [...wanted.keys()].entries()) {
      const place = places[index]
      if (place !== undefined) this.#known.set(text, place)
    }
  }
}
