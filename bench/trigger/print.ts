/** Prints a table under a heading. */
export function table(heading: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`\n${heading}`)
  for (const cells of [head, ...rows]) console.log(cells.map((cell) => cell.padStart(18)).join(''))
}

/** Says whether a target was reached. */
export function target(name: string, value: number, bound: 'at least' | 'at most', limit: number): void {
  const isReached = bound === 'at least' ? value >= limit : value <= limit
  const shown = value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
  console.log(`${isReached ? 'reached' : 'MISSED '}  ${name}: ${shown} (${bound} ${limit.toLocaleString('en')})`)
}

/** The value that a share of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
