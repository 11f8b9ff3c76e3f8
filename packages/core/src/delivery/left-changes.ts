import type { AcknowledgementEntry } from './acknowledgement-tracker.ts'

/**
 * The changes that a listener has left unhandled, and that keep the client from acknowledging what is after them. Of each
 * only its place is kept: its rows are let go of.
 */
export class LeftChanges {
  readonly #done: (entry: AcknowledgementEntry) => void
  readonly #entries = new Map<AcknowledgementEntry, number>()
  #count = 0

  constructor(done: (entry: AcknowledgementEntry) => void) {
    this.#done = done
  }

  /** How many they are. */
  get count(): number {
    return this.#count
  }

  add(entry: AcknowledgementEntry): void {
    this.#entries.set(entry, (this.#entries.get(entry) ?? 0) + 1)
    this.#count += 1
  }

  /** One of them is done after all, unless it was let go of. */
  done(entry: AcknowledgementEntry): void {
    const count = this.#entries.get(entry)
    if (count === undefined) return
    if (count === 1) this.#entries.delete(entry)
    else this.#entries.set(entry, count - 1)
    this.#count -= 1
    this.#done(entry)
  }

  /** All of them count as done. Returns how many they were. */
  letGo(): number {
    const count = this.#count
    const entries = [...this.#entries]
    this.#entries.clear()
    this.#count = 0
    for (const [entry, times] of entries) for (let time = 0; time < times; time++) this.#done(entry)
    return count
  }
}
