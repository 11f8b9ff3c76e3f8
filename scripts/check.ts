import { spawn } from 'node:child_process'

/** One step of `pnpm test`: a command that succeeds or fails as a whole. */
export interface Check {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

/** How a check ended. */
export interface CheckResult {
  readonly name: string
  readonly passed: boolean
  readonly seconds: number
}

/** Runs a check and prints its line; what the command itself printed follows only where it failed. */
export async function runCheck(check: Check, cwd: string): Promise<CheckResult> {
  const start = performance.now()
  const { code, output } = await capture(check.command, cwd)
  const seconds = (performance.now() - start) / 1000
  const passed = code === 0
  const line = `${passed ? 'passed' : 'FAILED'}  ${check.name} (${seconds.toFixed(1)} s)`
  console.log(passed ? line : `${line}: ${check.command.join(' ')}\n${indented(output)}`)
  return { name: check.name, passed, seconds }
}

function capture(
  [command, ...parameters]: Check['command'],
  cwd: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (text: string): void => {
      output += text
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.on('error', (error) => resolve({ code: null, output: error.message }))
    child.on('close', (code) => resolve({ code, output }))
  })
}

function indented(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '        ')
}
