import { writeFile } from 'node:fs/promises'

/** A table of what was measured. */
export interface MeasuredTable {
  readonly heading: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** All that was measured, as it is printed. */
export interface TriggerReport {
  /** The versions of what was used, the processor, and how busy the machine was before. */
  readonly surroundings: string
  readonly tables: MeasuredTable[]
}

/** Prints a table under its heading. */
export function printTable(heading: string, head: readonly string[], rows: MeasuredTable['rows']): void {
  console.log(`\n${heading}`)
  for (const cells of [head, ...rows]) console.log(cells.map((cell) => cell.padStart(18)).join(''))
}

/** Prints a table, and keeps it. */
export function report(
  { tables }: TriggerReport,
  heading: string,
  head: readonly string[],
  rows: MeasuredTable['rows'],
): void {
  tables.push({ heading, head, rows })
  printTable(heading, head, rows)
}

/** Writes what was measured to the file that `ROWTAP_BENCH_JSON` names, if it does. */
export async function save(result: TriggerReport): Promise<void> {
  const file = process.env['ROWTAP_BENCH_JSON']
  if (file !== undefined) await writeFile(file, `${JSON.stringify(result, null, 2)}\n`)
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
