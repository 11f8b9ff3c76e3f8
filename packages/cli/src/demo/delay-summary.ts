/** How long changes took, in milliseconds. */
export interface DelaySummary {
  readonly median: number
  readonly p99: number
}

/** The median and the 99th percentile (nearest rank) of delays; `null` of none. */
export function delaySummary(delays: readonly number[]): DelaySummary | null {
  if (delays.length === 0) return null
  const sorted = [...delays].sort((a, b) => a - b)
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { median: rank(0.5), p99: rank(0.99) }
}

/** A delay for a person: `0.8 ms`, `12 ms`, `1.4 s`. */
export function delayText(milliseconds: number): string {
  if (milliseconds >= 999.5) return `${(milliseconds / 1_000).toFixed(1)} s`
  // The two clocks may differ by some microseconds.
  return `${Math.max(0, milliseconds).toFixed(milliseconds < 9.95 ? 1 : 0)} ms`
}
