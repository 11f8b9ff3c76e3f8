#!/usr/bin/env node
/**
 * `pnpm rowtap …` in a checkout: compiles what has changed, then runs the command in this very process, so that
 * signals and the exit code are the command's own. Standard output belongs to the command alone.
 *
 * It is a `bin` and not a script of package.json because pnpm prints a script's whole command line, passwords
 * included, and answers a signal itself.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const build = spawnSync(process.execPath, [tsc, '-b', 'packages/cli/tsconfig.build.json', '--pretty', 'false'], {
  cwd: root,
  encoding: 'utf8',
})
if (build.error !== undefined) throw build.error
if (build.status === 0) {
  await import(new URL('../packages/cli/dist/main.js', import.meta.url).href)
} else {
  process.stderr.write(`${build.stdout}${build.stderr}rowtap could not be compiled.\n`)
  process.exitCode = 1
}
