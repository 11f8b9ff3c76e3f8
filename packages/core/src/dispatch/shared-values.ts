interface Shared<T> {
  readonly key: string
  readonly value: T
  users: number
}

/** Something shared, to be given back. */
export type Share<T> = Shared<T>

/** Values that are the same for all who use one at the same time, and are forgotten with the last of them. */
export class SharedValues<T> {
  readonly #values = new Map<string, Shared<T>>()

  /** The value of this key: the one that others use, or else this one. */
  share(key: string, make: () => T): Share<T> {
    const known = this.#values.get(key) ?? { key, value: make(), users: 0 }
    if (known.users === 0) this.#values.set(key, known)
    known.users += 1
    return known
  }

  /** One use of it is over. */
  giveBack(shared: Share<T>): void {
    shared.users -= 1
    if (shared.users === 0) this.#values.delete(shared.key)
  }
}
