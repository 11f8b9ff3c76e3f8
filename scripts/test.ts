/**
 * `pnpm test`: everything that has to hold before a change is accepted. The checks come first, then the tests. All of
 * them run whatever fails, so that one run shows everything that is wrong.
 *
 * What is given after `pnpm test` goes to vitest, and then the checks are left out: `pnpm test packages/core`.
 *
 * The last line is `N passed, N failed`: each check is one, and each test is one.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCheck } from './check.ts'
import type { Check, CheckResult } from './check.ts'
import type { TestCounts } from './vitest-report.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const COUNT_REPORTER = fileURLToPath(new URL('./count-reporter.ts', import.meta.url))
// turbo looks for pnpm on the PATH, where it need not be: it may have been run by npx, or by its path.
const folders = [join(root, 'node_modules/.bin'), process.env['PATH'], dirname(process.env['npm_execpath'] ?? root)]
process.env['PATH'] = folders.join(delimiter)
process.env['TURBO_TELEMETRY_DISABLED'] = '1'
process.env['TURBO_NO_UPDATE_NOTIFIER'] = '1'

// Before anything is built: it is the first thing that somebody runs in a clone.
const demo: Check = { name: 'demo', command: ['node', 'scripts/rowtap.ts', 'demo', '--seconds', '3'] }
const build: Check = { name: 'build', command: ['turbo', 'run', 'build', '--output-logs=errors-only'] }
const checks: readonly Check[] = [
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'lint', command: ['oxlint'] },
  { name: 'types of tests and scripts', command: ['tsc', '-b', '--pretty', 'false'] },
  { name: 'unused files, exports and dependencies', command: ['knip', '--no-config-hints'] },
  { name: 'packages as published', command: ['turbo', 'run', 'check:package', '--only', '--output-logs=errors-only'] },
  { name: 'generated parts of README.md', command: ['node', 'scripts/readme.ts', '--check'] },
  // To see that they work: how long anything takes here is not looked at. One after the other, beside the other checks.
  {
    name: 'benchmarks',
    command: ['node', 'bench/main.ts', 'dispatch', 'large', 'wal', 'trigger', 'cost', 'churn', '--brief'],
  },
]

const start = performance.now()
const files = process.argv.slice(2)
const results: CheckResult[] = []

if (files.length === 0) results.push(await runCheck(demo, root))
results.push(await runCheck(build, root))
if (files.length === 0) results.push(...(await Promise.all(checks.map((check) => runCheck(check, root)))))
const tests = await runTests(files)

const failedChecks = results.filter((result) => !result.passed)
const failed = failedChecks.length + tests.failed
const passed = results.length - failedChecks.length + tests.passed
if (failedChecks.length > 0) console.log(`Failed checks: ${failedChecks.map((result) => result.name).join(', ')}`)
for (const [reason, count] of Object.entries(tests.skipped)) console.log(`Skipped tests: ${count} (${reason})`)
console.log(
  `${results.length} checks, ${tests.passed + tests.failed} tests, ${((performance.now() - start) / 1000).toFixed(0)} s`,
)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function runTests(parameters: readonly string[]): Promise<TestCounts> {
  const directory = await mkdtemp(join(tmpdir(), 'rowtap-test-'))
  try {
    const path = join(directory, 'counts.json')
    const code = await vitest(['run', '--reporter=default', `--reporter=${COUNT_REPORTER}`, ...parameters], path)
    if (!existsSync(path)) {
      console.log(`vitest ended with ${code} before it had counted its tests.`)
      return { passed: 0, failed: 1, skipped: {} }
    }
    const counts = JSON.parse(await readFile(path, 'utf8')) as TestCounts
    // An error outside of any test, such as an unhandled rejection, is in the exit code alone.
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
  } finally {
    await rm(directory, { recursive: true })
  }
}

function vitest(parameters: readonly string[], countsPath: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ROWTAP_TEST_COUNTS: countsPath }
    const child = spawn('vitest', parameters, { cwd: root, stdio: 'inherit', env })
    child.on('error', reject)
    child.on('close', resolve)
  })
}
