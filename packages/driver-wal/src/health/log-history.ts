import type { Lsn } from '../replication/lsn.ts'

interface Look {
  readonly atMs: number
  readonly ends: Lsn
}

/** What is long ago is told to within this part of how long ago it is: so the history grows with the logarithm of time. */
const PRECISION = 1 / 256

/** Where the log ended at which time, so that it can be told for how long the log has been beyond a place in it. */
export class LogHistory {
  #looks: Look[] = []

  /** Notes where the log ends now. */
  add(atMs: number, ends: Lsn): void {
    const first = this.#looks[0]
    const last = this.#looks.at(-1)
    if (first !== undefined && last !== undefined) {
      // The first look at a place is the one that tells since when the log has been there.
      if (last.ends === ends || atMs - last.atMs < (atMs - first.atMs) * PRECISION) return
    }
    this.#looks.push({ atMs, ends })
  }

  /**
   * For how many milliseconds at least the log has been beyond a place; 0 where it is not. What is before the place is
   * forgotten: each call must name a place that is not before that of the call before.
   */
  ageOf(place: Lsn, nowMs: number): number {
    const beyond = this.#looks.findIndex(({ ends }) => ends > place)
    this.#looks = beyond < 0 ? [] : this.#looks.slice(beyond)
    const [first] = this.#looks
    return first === undefined ? 0 : Math.max(0, nowMs - first.atMs)
  }

  /** How many looks are kept. */
  get size(): number {
    return this.#looks.length
  }
}
