import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A process of its own, for tests that kill it. Disposing of it kills it, where it still runs. */
export interface KilledProgram extends AsyncDisposable {
  /** What it has printed. */
  readonly lines: readonly string[]
  /** Kills it with SIGKILL, and resolves when it has ended, however it did, and everything that it had printed has arrived. */
  kill(): Promise<void>
}

/**
 * Starts a program with the Node that runs the test.
 *
 * @param file its place, as a `file:` URL.
 * @param environment its variables, besides those of the test.
 */
export function startProgram(file: URL, environment: Readonly<Record<string, string>>): KilledProgram {
  // A test runner's options for its own workers are not for this process.
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const child = spawn(process.execPath, [file.pathname], {
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(line))
  const ended = once(child, 'close')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  return { lines, kill, [Symbol.asyncDispose]: kill }
}
