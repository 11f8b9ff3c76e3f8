import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A program of this benchmark in a process of its own. Disposing of it ends it. */
export interface ConsumerProcess extends AsyncDisposable {
  /** Resolves when it reads. */
  readonly ready: Promise<void>
  /** What it prints when it has seen everything. */
  readonly result: Promise<unknown>
  /** Holds it still, and lets it go on. */
  hold(): void
  release(): void
}

/** Starts a program, a file of this folder, with one argument. */
export function startConsumer(file: string, options: unknown): ConsumerProcess {
  const program = fileURLToPath(new URL(file, import.meta.url))
  const child: ChildProcess = spawn(process.execPath, [...process.execArgv, program, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ready = Promise.withResolvers<void>()
  const result = Promise.withResolvers<unknown>()
  const exited = once(child, 'exit')
  void exited.then(() => {
    const error = new Error(`The consumer ended before it had seen everything: ${JSON.stringify(options)}`)
    ready.reject(error)
    result.reject(error)
  })
  // Whoever does not wait for one of them does not need it.
  ready.promise.catch(() => undefined)
  result.promise.catch(() => undefined)
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (line) => {
      if (line === 'ready') ready.resolve()
      else result.resolve(JSON.parse(line))
    })
  }
  return {
    ready: ready.promise,
    result: result.promise,
    hold: () => void child.kill('SIGSTOP'),
    release: () => void child.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      await exited
    },
  }
}
