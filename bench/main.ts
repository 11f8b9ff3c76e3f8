/**
 * One or more of these, one after the other; `--brief` to see that they work.
 *
 * - `pnpm bench churn [--brief]`: how large the queue of driver-trigger is after a minute of writing at full speed.
 * - `pnpm bench cost [--brief]`: what capturing adds to a statement's processor time, by what is listened for.
 * - `pnpm bench dispatch [--brief]`: what a change costs on its way from a driver to a handler, by the number of
 *   listeners on its table.
 * - `pnpm bench large [--brief]`: how much memory a consumer takes for one transaction of ten million rows.
 * - `pnpm bench wal [--brief]`: how fast, with how much processor time, memory and delay rowtap and others read the
 *   write-ahead log. Needs PostgreSQL's own programs, unless it is brief.
 * - `pnpm bench trigger [--brief]`: what driver-trigger costs writers, how fast it drains a backlog, and how late changes
 *   arrive, beside the usual ways to be told of changes by triggers.
 */
import { dispatchBenchmark } from './dispatch/dispatch-benchmark.ts'
import { largeBenchmark } from './large/large-benchmark.ts'
import { churnBenchmark } from './trigger/churn-benchmark.ts'
import { costBenchmark } from './trigger/cost-benchmark.ts'
import { triggerBenchmark } from './trigger/trigger-benchmark.ts'
import { walBenchmark } from './wal/wal-benchmark.ts'

const benchmarks: Readonly<Record<string, (brief: boolean) => Promise<void>>> = {
  churn: churnBenchmark,
  cost: costBenchmark,
  dispatch: dispatchBenchmark,
  large: largeBenchmark,
  trigger: triggerBenchmark,
  wal: walBenchmark,
}

const words = process.argv.slice(2)
const names = words.filter((word) => word !== '--brief')
if (names.length === 0 || !names.every((name) => Object.hasOwn(benchmarks, name))) {
  process.stderr.write(`usage: pnpm bench ${Object.keys(benchmarks).join('|')}… [--brief]\n`)
  process.exitCode = 2
} else {
  for (const name of names) await benchmarks[name]?.(words.includes('--brief'))
}
