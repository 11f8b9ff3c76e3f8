import type { DriverName } from '../drivers/known-drivers.ts'

/** How much a finding matters: `problem` is what keeps a driver from working, or harms the database already. */
export type CheckLevel = 'ok' | 'warning' | 'problem'

/** One thing that was looked at. */
export interface Check {
  readonly driver: DriverName
  readonly level: CheckLevel
  /** What it is about: `server`, `role`, or the kind and name of an object. */
  readonly subject: string
  readonly sentence: string
  /** What to run, in this order; empty where nothing is to be done, or where it is not done by a statement. */
  readonly statements: readonly string[]
}

/** Makes the checks of one driver about one subject. */
export interface CheckMaker {
  readonly ok: (sentence: string) => Check
  readonly warning: (sentence: string, ...statements: readonly string[]) => Check
  readonly problem: (sentence: string, ...statements: readonly string[]) => Check
}

/** Makes checks of a driver about a subject. */
export function checksOf(driver: DriverName, subject: string): CheckMaker {
  const check = (level: CheckLevel, sentence: string, statements: readonly string[] = []): Check => ({
    driver,
    level,
    subject,
    sentence,
    statements,
  })
  return {
    ok: (sentence) => check('ok', sentence),
    warning: (sentence, ...statements) => check('warning', sentence, statements),
    problem: (sentence, ...statements) => check('problem', sentence, statements),
  }
}
