/**
 * How long a reader rests between two looks at the queue.
 *
 * A look costs about as much whether it finds one change or many, on both sides, and takes that from the writers. So the more
 * changes there are, the longer it rests: the next look finds the more of them.
 */
export interface Pace {
  /** A look has found so many changes, and reading them took so long. */
  found(changes: number, tookMs: number): void
  /** A look has found nothing: the writers have come to rest. */
  nothing(): void
  /** How long to rest at least, in milliseconds. */
  restMs(): number
}

// Where no more changes than that come in a second, they are waited for no longer than it takes to look.
const CALM_RATE = 2000
// For so many more it rests a millisecond longer.
const RATE_OF_ONE_MS = 50
// Over about how long changes are counted.
const WINDOW_MS = 200
// How long a reader rests at most, where what it does takes that long, too; and where many changes come.
const LONGEST_TOOK_MS = 20
const LONGEST_REST_MS = 40

/**
 * @param shortestMs the rest where few changes come: it grows with their number.
 * @param now the time, in milliseconds.
 */
export function pace(shortestMs: number, now: () => number): Pace {
  let rate = 0
  let countedAt = now()
  let lastTookMs = 0
  const count = (changes: number): void => {
    const at = now()
    rate = rate * Math.exp((countedAt - at) / WINDOW_MS) + (changes * 1000) / WINDOW_MS
    countedAt = at
  }
  return {
    found: (changes, tookMs) => {
      count(changes)
      lastTookMs = tookMs
    },
    nothing: () => {
      rate = 0
      lastTookMs = 0
    },
    restMs: () => {
      count(0)
      const byRate = shortestMs + (rate - CALM_RATE) / RATE_OF_ONE_MS
      return Math.max(shortestMs, Math.min(byRate, LONGEST_REST_MS), Math.min(lastTookMs, LONGEST_TOOK_MS))
    },
  }
}
