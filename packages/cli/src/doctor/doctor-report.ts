import type { DriverName } from '../drivers/known-drivers.ts'
import type { MatrixColors } from '../format/capability-matrix.ts'
import { padTo } from '../format/display-width.ts'
import type { Paint } from '../format/line-segments.ts'
import type { Check, CheckLevel } from './check.ts'

/** The colours of the report on a terminal. */
export interface ReportColors extends MatrixColors {
  readonly yellow: Paint
  readonly red: Paint
}

const LEVEL_WIDTH = 'problem'.length + 2

/** How the report is printed. */
export interface ReportOptions {
  readonly colors: ReportColors
  /** Whether its last line is the {@link summary}. */
  readonly hasSummary: boolean
}

/** The report as text: what is wrong in each driver's part, then what is right. */
export function doctorReport(
  checks: readonly Check[],
  unseen: Readonly<Record<string, readonly string[]>>,
  { colors, hasSummary }: ReportOptions,
): string {
  const lines: string[] = []
  for (const driver of new Set(checks.map((check) => check.driver))) {
    lines.push(colors.bold(driver))
    for (const check of checks.filter((one) => one.driver === driver)) lines.push(...checkLines(check, colors))
    for (const sentence of unseenOf(driver, unseen))
      lines.push(colors.dim(`  ${padTo('unseen', LEVEL_WIDTH)}${sentence}`))
    lines.push('')
  }
  if (hasSummary) lines.push(summary(checks))
  return lines.join('\n').trimEnd()
}

/** How many there are of what is not right, in words. */
export function summary(checks: readonly Check[]): string {
  const count = (level: CheckLevel): string => {
    const found = checks.filter((check) => check.level === level).length
    return `${found} ${level}${found === 1 ? '' : 's'}`
  }
  return `${count('problem')}, ${count('warning')}`
}

function checkLines({ level, subject, sentence, statements }: Check, colors: ReportColors): readonly string[] {
  const paint = { ok: colors.green, warning: colors.yellow, problem: colors.red }[level]
  const indent = ' '.repeat(LEVEL_WIDTH + 2)
  return [
    `  ${paint(level)}${' '.repeat(LEVEL_WIDTH - level.length)}${subject}: ${sentence}`,
    ...statements.map((statement) => `${indent}  ${statement};`),
  ]
}

function unseenOf(driver: DriverName, unseen: Readonly<Record<string, readonly string[]>>): readonly string[] {
  return unseen[driver] ?? []
}
