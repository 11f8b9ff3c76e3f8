import { readFile } from 'node:fs/promises'

/** The numbers of vitest's JSON report. */
export interface TestCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/**
 * Reads vitest's JSON report. A file that could not be run counts as one failed test: it has no tests to count.
 *
 * @throws where there is no report, or its numbers do not add up.
 */
export async function readVitestReport(path: string): Promise<TestCounts> {
  const report: unknown = JSON.parse(await readFile(path, 'utf8'))
  const tests = number(report, 'numTotalTests')
  const passed = number(report, 'numPassedTests')
  const failed = number(report, 'numFailedTests')
  const skipped = number(report, 'numPendingTests') + number(report, 'numTodoTests')
  if (passed + failed + skipped !== tests) {
    throw new Error(
      `vitest's report has ${tests} tests, of which ${passed} passed, ${failed} failed and ${skipped} were skipped`,
    )
  }
  return { passed, failed: failed + brokenFiles(report), skipped }
}

function brokenFiles(report: unknown): number {
  const files: unknown = member(report, 'testResults')
  if (!Array.isArray(files)) throw new Error('vitest’s report has no testResults')
  return files.filter((file: unknown) => {
    const tests: unknown = member(file, 'assertionResults')
    const failedTests = Array.isArray(tests) ? tests.filter((test: unknown) => member(test, 'status') === 'failed') : []
    return member(file, 'status') === 'failed' && failedTests.length === 0
  }).length
}

function number(value: unknown, name: string): number {
  const found = member(value, name)
  if (typeof found !== 'number') throw new Error(`vitest’s report has no number ${name}`)
  return found
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
