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
    const index = Math.min(bucketOf(milliseconds), BOUNDS.length - 1)
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

/** The least power of two of the smallest bound that is not less. */
function bucketOf(milliseconds: number): number {
  const times = Math.ceil(milliseconds / SMALLEST_MS)
  if (times <= 1) return 0
  // By the number's binary digits: a logarithm costs as much as handing over an event.
  return times > 2 ** 31 ? BOUNDS.length : 32 - Math.clz32(times - 1)
}
