import { execFile } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ScenarioName, ScenarioResult } from './scenario.ts'

const program = fileURLToPath(new URL('run-scenario.ts', import.meta.url))

const COUNTS = [1, 100, 10_000, 100_000]
/** To see that it works. */
const BRIEF_COUNTS = [1, 1000]

const TITLES: Readonly<Record<ScenarioName, string>> = {
  equality: 'Each listener wants its own customer: where: { customer_id: n }. A change is wanted by one.',
  range: 'Each listener wants a range of its own: where: { total: { gte: n, lt: n + 1 } }. A change is wanted by one.',
  both: "The same, of what all ask for besides: where: { status: 'paid', total: { gte: n, lt: n + 1 } }. A change is wanted by one.",
}

/**
 * Prints the costs for each number of listeners. Every number is measured in a process of its own, so that what one
 * leaves behind (compiled code, a grown heap) does not help or burden the next.
 */
export async function dispatchBenchmark(brief: boolean): Promise<void> {
  console.log(
    `Node ${process.versions.node}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}. Medians; in brackets the least and the greatest.`,
  )
  for (const name of ['equality', 'range', 'both'] as const) {
    console.log(`\n${TITLES[name]}`)
    console.log(
      row([
        'listeners',
        'CPU µs a change',
        'times one',
        'bytes a listener',
        'after an event',
        'attach CPU µs',
        'detach CPU µs',
      ]),
    )
    let first = 0
    for (const count of brief ? BRIEF_COUNTS : COUNTS) {
      const result = await run(name, count, brief)
      first ||= result.changeCpuUs.median
      const { changeCpuUs, attachCpuUs, detachCpuUs } = result
      console.log(
        row([
          count.toLocaleString('en'),
          `${changeCpuUs.median.toFixed(2)} [${changeCpuUs.least.toFixed(2)} ${changeCpuUs.greatest.toFixed(2)}]`,
          (changeCpuUs.median / first).toFixed(2),
          // What one listener or a hundred weigh is lost in the noise of the heap.
          count < 1000 ? '' : result.idleBytes.toFixed(0),
          count < 1000 ? '' : result.usedBytes.toFixed(0),
          attachCpuUs.median.toFixed(0),
          detachCpuUs.median.toFixed(0),
        ]),
      )
    }
  }
}

async function run(name: ScenarioName, count: number, brief: boolean): Promise<ScenarioResult> {
  const rounds = brief ? 3 : 9
  const parameters = ['--expose-gc', program, name, String(count), String(rounds)]
  const { stdout } = await promisify(execFile)(process.execPath, parameters)
  return JSON.parse(stdout) as ScenarioResult
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padStart(index === 1 ? 24 : 18)).join('')
}
