import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** How the command ended. */
export interface RowtapResult {
  /** The exit code; `null` where a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  /** Without lines that tell what is waited for: other tests on the same server may hold it. */
  readonly stderr: string
}

/** Runs the built command to its end. */
export function runRowtap(parameters: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<RowtapResult> {
  return new RowtapProcess(parameters, environment).ended
}

/** The built command as a process of its own. */
export class RowtapProcess implements AsyncDisposable {
  readonly ended: Promise<RowtapResult>
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #stderr: string[] = []
  readonly #stdout: string[] = []
  readonly #changed = new Set<() => void>()
  #lines: string[] = []
  #unfinishedLine = ''

  constructor(parameters: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    const { DATABASE_URL: _, ...inherited } = process.env
    // No colours by chance, and nothing of the test runner's.
    const env = { ...inherited, NODE_OPTIONS: '', FORCE_COLOR: '', CI: '', ...environment }
    this.#child = spawn(process.execPath, [MAIN, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'], env })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr.push(text)
      this.#tell()
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (exitCode) => {
        resolve({
          exitCode,
          stdout: this.#stdout.join(''),
          stderr: this.#stderr.join('').replaceAll(/^wait: .*\n/gm, ''),
        })
        this.#tell()
      })
    })
  }

  get processId(): number | undefined {
    return this.#child.pid
  }

  /** Resolves when standard error has a line that begins with `ready`. */
  async ready(): Promise<void> {
    await this.message(/^ready/m)
  }

  /** Resolves when standard error matches. */
  async message(expected: RegExp): Promise<void> {
    await this.#until(() => expected.test(this.#stderr.join('')), `says ${expected.source}`)
  }

  /** Takes the lines of standard output up to the first one that fulfils the condition, that one included. */
  async linesUntil(isLast: (line: string) => boolean): Promise<readonly string[]> {
    let looked = 0
    let found = -1
    await this.#until(() => {
      for (; looked < this.#lines.length && found < 0; looked += 1)
        if (isLast(this.#lines[looked] ?? '')) found = looked
      return found >= 0
    }, 'prints the line that is waited for')
    const taken = this.#lines.slice(0, found + 1)
    this.#lines = this.#lines.slice(found + 1)
    return taken
  }

  /** Takes so many lines of standard output. */
  async lines(count: number): Promise<readonly string[]> {
    let left = count
    return this.linesUntil(() => (left -= 1) === 0)
  }

  /** Stops reading standard output, as a slow reader does. */
  pauseReading(): void {
    this.#child.stdout.pause()
  }

  /** Reads on. */
  resumeReading(): void {
    this.#child.stdout.resume()
  }

  /** Closes standard output, as `head` does when it has seen enough. */
  stopReading(): void {
    this.#child.stdout.destroy()
  }

  /** Resolves with the exit code when the process is gone, whether its output was read or not. */
  async exitCode(): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode
    return new Promise((resolve) => this.#child.once('exit', resolve))
  }

  /** Sends a signal. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends it, if the test has not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  #read(text: string): void {
    this.#stdout.push(text)
    const pieces = (this.#unfinishedLine + text).split('\n')
    this.#unfinishedLine = pieces.pop() ?? ''
    this.#lines.push(...pieces)
    this.#tell()
  }

  #tell(): void {
    for (const changed of this.#changed) changed()
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return
    let isOver = false
    void this.ended.then(() => (isOver = true))
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (condition()) resolve()
        else if (isOver) reject(new Error(`rowtap ended before it ${what}: ${this.#stderr.join('')}`))
        else return
        this.#changed.delete(look)
      }
      this.#changed.add(look)
      void this.ended.then(look)
    })
  }
}
