/**
 * `pnpm bench dispatch [--brief]`: what a change costs on its way from a driver to a handler, by the number of
 * listeners on its table.
 */
import { dispatchBenchmark } from './dispatch/dispatch-benchmark.ts'

const [name, ...flags] = process.argv.slice(2)
if (name !== 'dispatch' || flags.some((flag) => flag !== '--brief')) {
  process.stderr.write('usage: pnpm bench dispatch [--brief]\n')
  process.exitCode = 2
} else {
  await dispatchBenchmark(flags.includes('--brief'))
}
