import type { Driver } from '@rowtap/core'
import { cellOf } from '@rowtap/core'
import type { TestDatabase } from '../postgres/test-database.ts'
import type { ConformanceCase, ConformanceSizes } from './conformance-case.ts'
import { DEFAULT_SIZES } from './conformance-case.ts'
import { openContext } from './conformance-context.ts'

/** What one run of a case needs. */
export interface RunCaseOptions {
  /** Makes the driver under test for a database. */
  readonly create: (database: Pick<TestDatabase, 'url'>) => Driver
  /** A fresh database. The caller drops it. */
  readonly database: TestDatabase
  readonly sizes?: Partial<ConformanceSizes>
}

/** Runs a case against a driver. Rejects where the driver does not keep the promise. Independent of any test runner. */
export async function runCase(conformanceCase: ConformanceCase, options: RunCaseOptions): Promise<void> {
  await using open = openContext(options.create, options.database, { ...DEFAULT_SIZES, ...options.sizes })
  await Promise.race([conformanceCase.run(open.context), open.failure])
}

/** Whether the case applies to the driver: its manifest has all that the case needs. */
export function applies(conformanceCase: ConformanceCase, driver: Pick<Driver, 'capabilities'>): boolean {
  return conformanceCase.needs.every((name) => cellOf(driver.capabilities, name) !== false)
}
