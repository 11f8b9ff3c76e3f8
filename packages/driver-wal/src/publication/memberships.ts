import { sqlstateOf } from '../errors/database-error.ts'

/**
 * What places captured tables have in the client's publications. Each has a text that is another one whenever somebody has
 * altered it: a table that was taken out and put back has another place, and so has every table of a publication that was
 * altered itself.
 */
export class Memberships {
  /** By the tables' object ids. */
  readonly #known = new Map<number, string>()
  /** Tables whose places the client is changing. */
  readonly #changing = new Set<number>()
  #isChangingAll = false

  /** Whether it is known what place a table has. */
  knows(oid: number): boolean {
    return this.#known.has(oid)
  }

  /** Whether a table's place is another one than it was. From now on it is known to be this one. */
  isAnother(oid: number, now: string): boolean {
    if (this.#isChangingAll || this.#changing.has(oid)) return false
    const before = this.#known.get(oid)
    this.#known.set(oid, now)
    return before !== undefined && before !== now
  }

  /** Changes a table's place. What it is after that is not known. The error of a failure is the change's. */
  async change(oid: number, change: () => Promise<unknown>): Promise<void> {
    this.#changing.add(oid)
    try {
      await change()
      this.#known.delete(oid)
    } catch (error) {
      // Where the server says no, nothing was changed; where it says nothing, that is not known.
      if (sqlstateOf(error) === null) this.#known.delete(oid)
      throw error
    } finally {
      this.#changing.delete(oid)
    }
  }

  /** Changes the places of all tables, as {@link change} does. */
  async changeAll(change: () => Promise<unknown>): Promise<void> {
    this.#isChangingAll = true
    try {
      await change()
      this.#known.clear()
    } catch (error) {
      if (sqlstateOf(error) === null) this.#known.clear()
      throw error
    } finally {
      this.#isChangingAll = false
    }
  }

  /** Whoever looks next finds that a table's place is another one. */
  doubt(oid: number): void {
    this.#known.set(oid, '')
  }

  /** It is known of no table any more what place it has. */
  forget(): void {
    this.#known.clear()
  }
}
