import { writeFile } from 'node:fs/promises'
import type { Reporter, TestModule } from 'vitest/node'
import { countTests } from './vitest-report.ts'

/** Has vitest write what `countTests` counts, as JSON, to the file that ROWTAP_TEST_COUNTS names. Prints nothing. */
// oxlint-disable-next-line import/no-default-export -- vitest takes the default export of a file that is a reporter.
export default class CountReporter implements Reporter {
  async onTestRunEnd(files: readonly TestModule[]): Promise<void> {
    const path = process.env['ROWTAP_TEST_COUNTS']
    if (path === undefined) throw new Error('ROWTAP_TEST_COUNTS names no file')
    await writeFile(path, JSON.stringify(countTests(files)))
  }
}
