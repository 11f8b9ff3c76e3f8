import type { DriverName } from '../drivers/known-drivers.ts'
import type { ChangeColors } from '../format/change-line.ts'
import { padTo } from '../format/display-width.ts'
import type { DelaySummary } from './delay-summary.ts'
import { delayText } from './delay-summary.ts'

/** What one driver made of the shop's day. */
export interface DriverReport {
  readonly seen: number
  readonly delay: DelaySummary | null
  readonly foldEqualsTable: boolean
}

/** What the demo found out. */
export interface DemoReport {
  /** How many changes of rows the writers committed. */
  readonly written: number
  /** How many of them were shown as they happened. */
  readonly shown: number
  readonly drivers: ReadonlyMap<DriverName, DriverReport>
}

/** Whether every driver saw exactly what was written. */
export function isFaultless(report: DemoReport): boolean {
  return [...report.drivers.values()].every((driver) => driver.foldEqualsTable && driver.seen === report.written)
}

/** The report as lines for a person. */
export function reportLines(report: DemoReport, colors: ChangeColors): readonly string[] {
  const row = (label: string, cell: (driver: DriverReport) => string): string => {
    return `${padTo(label, 20)}${[...report.drivers.values()].map((driver) => painted(cell(driver), colors)).join('')}`
  }
  const count = (value: number): string => value.toLocaleString('en')
  const delay = (value: number | undefined): string => (value === undefined ? '-' : delayText(value))
  return [
    colors.bold(`${padTo('', 20)}${[...report.drivers.keys()].map((name) => name.padStart(14)).join('')}`),
    row('changes written', () => count(report.written)),
    row('changes seen', ({ seen }) => count(seen)),
    row('delay, median', (driver) => delay(driver.delay?.median)),
    row('delay, p99', (driver) => delay(driver.delay?.p99)),
    row('fold equals table', ({ foldEqualsTable }) => (foldEqualsTable ? 'yes' : 'no')),
  ]
}

function painted(cell: string, { green, red }: ChangeColors): string {
  const text = cell.padStart(14)
  return cell === 'yes' ? green(text) : cell === 'no' ? red(text) : text
}
