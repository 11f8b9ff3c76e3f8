/** Counts of durations, in buckets whose bounds double. */
export interface HistogramSnapshot {
  readonly count: number
  /** The sum of all values, in milliseconds. */
  readonly sumMs: number
  /** How many values were at most so many milliseconds, and more than the bound before. The last bound is Infinity. */
  readonly buckets: readonly { readonly atMostMs: number; readonly count: number }[]
}

const SMALLEST_MS = 1 / 16
const BOUNDS = [...Array.from({ length: 22 }, (_, index) => SMALLEST_MS * 2 ** index), Infinity]

/** Durations from a sixteenth of a millisecond to two minutes, in fixed memory. */
export class Histogram {
  /** As long as the slowest bucket that was needed. */
  #counts: number[] = [0]
  #count = 0
  #sumMs = 0

  record(milliseconds: number): void {
    this.#count += 1
    this.#sumMs += milliseconds
    const bucket = milliseconds <= SMALLEST_MS ? 0 : Math.ceil(Math.log2(milliseconds / SMALLEST_MS))
    const index = Math.min(bucket, BOUNDS.length - 1)
    if (index >= this.#counts.length) {
      this.#counts = Array.from({ length: index + 1 }, (_, bucket) => this.#counts[bucket] ?? 0)
    }
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
  }

  snapshot(): HistogramSnapshot {
    const buckets = BOUNDS.map((atMostMs, index) => ({ atMostMs, count: this.#counts[index] ?? 0 }))
    return { count: this.#count, sumMs: this.#sumMs, buckets }
  }
}
