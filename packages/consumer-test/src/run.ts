import { spawn } from 'node:child_process'

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Where and how a command is run. */
export interface RunOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  /** Called with each line of standard output as it is printed. */
  readonly onLine?: (line: string) => void
  /** Ends the command when aborted. */
  readonly signal?: AbortSignal
}

/** Runs a command to its end. */
export function run(command: string, parameters: readonly string[], options: RunOptions): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    let stdout = ''
    let stderr = ''
    let line = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      const lines = (line + text).split('\n')
      line = lines.pop() ?? ''
      for (const whole of lines) options.onLine?.(whole)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** Runs a command whose failure is an error that shows what it printed. Returns its standard output. */
export async function runOrThrow(command: string, parameters: readonly string[], options: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await run(command, parameters, options)
  if (code === 0) return stdout
  throw new Error(`${command} ${parameters.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
}
