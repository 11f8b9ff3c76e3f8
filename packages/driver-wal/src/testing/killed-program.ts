import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A process of its own, for tests that kill it. */
export interface KilledProgram {
  /** What it has printed. */
  readonly lines: readonly string[]
  /** Kills it, and resolves when it has ended. */
  kill(): Promise<void>
}

/** Starts a program of this folder. */
export function startProgram(file: string, environment: Readonly<Record<string, string>>): KilledProgram {
  // A test runner's options for its own workers are not for this process.
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const child = spawn(process.execPath, [new URL(file, import.meta.url).pathname], {
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(line))
  return {
    lines,
    async kill() {
      const exited = once(child, 'close')
      child.kill('SIGKILL')
      await exited
    },
  }
}
