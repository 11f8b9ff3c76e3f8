/** What came of the tests of a run. */
export interface TestCounts {
  readonly passed: number
  /** A file that could not be run counts as one: it has no tests to count. */
  readonly failed: number
  /** How many were skipped, by reason. */
  readonly skipped: Readonly<Record<string, number>>
}

/** A test file, as vitest hands it to a reporter: the part that is counted. */
export interface ReportedFile {
  state(): string
  readonly children: { allTests(): Iterable<ReportedTest> }
}

/** A test, as vitest hands it to a reporter. */
export interface ReportedTest {
  result(): { readonly state: string; readonly note?: string | undefined }
}

/** Counts the tests of a run that is over. */
export function countTests(files: readonly ReportedFile[]): TestCounts {
  const skipped: Record<string, number> = {}
  let passed = 0
  let failed = 0
  for (const file of files) {
    const results = [...file.children.allTests()].map((test) => test.result())
    const failures = results.filter(({ state }) => state === 'failed').length
    passed += results.filter(({ state }) => state === 'passed').length
    failed += file.state() === 'failed' ? Math.max(failures, 1) : failures
    for (const { state, note = 'no reason given' } of results) {
      if (state === 'skipped' || state === 'pending') skipped[note] = (skipped[note] ?? 0) + 1
    }
  }
  return { passed, failed, skipped }
}
