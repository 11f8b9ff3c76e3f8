/** Several measurements of one thing. */
export interface Measured {
  readonly median: number
  readonly least: number
  readonly greatest: number
}

/** Sums up measurements. */
export function measured(values: readonly number[]): Measured {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length / 2
  const median = ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2
  return { median, least: sorted[0] ?? 0, greatest: sorted.at(-1) ?? 0 }
}

/** The processor time that something takes, of all threads, in microseconds. */
export async function cpuUs(work: () => Promise<void>): Promise<number> {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return user + system
}
