import type { Found } from './found.ts'

/** Finds members by the key of a column's value. */
export class HashIndex<M extends object> {
  readonly #keyOf: (text: string) => string
  /** Most keys have one member: it stands there by itself. */
  readonly #buckets = new Map<string, M | Set<M>>()
  /** The only key that there is: comparing it costs less than the hash of a text that was just received. */
  #only: string | null = null

  constructor(keyOf: (text: string) => string) {
    this.#keyOf = keyOf
  }

  get isEmpty(): boolean {
    return this.#buckets.size === 0
  }

  /** How many members there are with one of these keys. */
  load(keys: readonly string[]): number {
    let sum = 0
    for (const key of keys) {
      const bucket = this.#buckets.get(key)
      if (bucket !== undefined) sum += bucket instanceof Set ? bucket.size : 1
    }
    return sum
  }

  /** Adds a member under each of some keys. */
  add(member: M, keys: readonly string[]): void {
    for (const key of keys) {
      const bucket = this.#buckets.get(key)
      if (bucket === undefined) this.#buckets.set(key, member)
      else if (bucket instanceof Set) bucket.add(member)
      else this.#buckets.set(key, new Set([bucket, member]))
    }
    this.#findOnly()
  }

  /** Removes a member from under the keys that it was added with. */
  remove(member: M, keys: readonly string[]): void {
    for (const key of keys) {
      const bucket = this.#buckets.get(key)
      if (bucket instanceof Set && bucket.delete(member) && bucket.size > 0) continue
      this.#buckets.delete(key)
    }
    this.#findOnly()
  }

  /** Visits the members that may want a value: none for NULL, and each for a value that is not known, maybe twice. */
  visit(text: string | null | undefined, visitor: (member: M, found: Found) => void, found: Found): void {
    if (text === null) return
    if (text === undefined) {
      for (const bucket of this.#buckets.values()) visitBucket(bucket, visitor, found)
      return
    }
    const key = this.#keyOf(text)
    if (this.#only !== null && key !== this.#only) return
    const bucket = this.#buckets.get(key)
    if (bucket !== undefined) visitBucket(bucket, visitor, found)
  }

  #findOnly(): void {
    const { size } = this.#buckets
    this.#only = size === 1 ? (this.#buckets.keys().next().value ?? null) : null
  }
}

function visitBucket<M extends object>(
  bucket: M | Set<M>,
  visitor: (member: M, found: Found) => void,
  found: Found,
): void {
  if (bucket instanceof Set) for (const member of bucket) visitor(member, found)
  else visitor(bucket, found)
}
