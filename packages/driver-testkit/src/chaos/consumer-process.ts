import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Handling, Life } from './audit/handling.ts'
import type { ConsumerOptions } from './consumer/consumer-options.ts'
import type { HandledEvent } from './handled-event.ts'
import type { ConsumerNote } from './handled-log.ts'
import { HandledLogReader } from './handled-log-reader.ts'

/** What a consumer told besides changes. */
export interface ConsumerTold {
  readonly note: ConsumerNote | 'gap'
  readonly text: string
}

/** How a consumer is run. */
export interface ConsumerProcessOptions extends ConsumerOptions {
  readonly name: string
  /** Options for Node. */
  readonly nodeArguments: readonly string[]
  /** Gives each handling, of whichever consumer, its number. */
  readonly take: (event: HandledEvent) => Handling
}

/** One life of a consumer: a process that can be killed. */
export class ConsumerProcess implements Life {
  readonly name: string
  readonly handlings: Handling[] = []
  readonly told: ConsumerTold[] = []
  readonly #options: ConsumerProcessOptions
  readonly #child: ChildProcessByStdio<Writable, null, Readable>
  readonly #log: HandledLogReader
  readonly #ended: Promise<void>
  readonly #notes = new Set<string>()
  #errors = ''
  #isFinished = false
  #reconnects = 0

  constructor(options: ConsumerProcessOptions) {
    this.#options = options
    this.name = options.name
    this.#log = new HandledLogReader(options.log)
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const program = fileURLToPath(new URL(`./consumer/consumer.${extension}`, import.meta.url))
    const { module, url, subscription, log, handling } = options
    const told: ConsumerOptions = { module, url, subscription, log, handling }
    const environment = { ...process.env }
    // A test runner's options for its own workers are not for this process.
    delete environment['NODE_OPTIONS']
    this.#child = spawn(process.execPath, [...options.nodeArguments, program, JSON.stringify(told)], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: environment,
    })
    // It may be gone when it is told something.
    this.#child.stdin.on('error', () => undefined)
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
    this.#ended = new Promise((resolve) => this.#child.on('close', () => resolve()))
  }

  /** The exit code; `null` while it lives, and where a signal ended it. */
  get exitCode(): number | null {
    return this.#child.exitCode
  }

  /** Whether the process is gone. */
  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Whether the process is gone, and all that it had handled is taken. */
  get isFinished(): boolean {
    return this.#isFinished
  }

  /** How many times it connected again by itself. */
  get reconnects(): number {
    return this.#reconnects
  }

  /** What it wrote to standard error. */
  get errors(): string {
    return this.#errors
  }

  /** Whether it has told this. */
  hasTold(note: ConsumerNote): boolean {
    return this.#notes.has(note)
  }

  /** Takes what it has handled since the last call. */
  async read(): Promise<void> {
    for (const line of await this.#log.read()) {
      if (line.kind === 'event') this.handlings.push(this.#options.take(line.event))
      else if (line.kind === 'gap') this.told.push({ note: 'gap', text: line.reason })
      else {
        this.#notes.add(line.note)
        if (line.note === 'connected again') this.#reconnects += 1
        this.told.push({ note: line.note, text: line.text })
      }
    }
  }

  /** Kills it, as `kill -9` does, and takes what it had handled. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.finish()
  }

  /** Tells it to close, waits for its end, and takes what it had handled. */
  async close(): Promise<void> {
    this.#child.stdin.end('close\n')
    await this.finish()
  }

  /** Waits for its end, and takes what it had handled. */
  async finish(): Promise<void> {
    await this.#ended
    await this.read()
    this.#isFinished = true
    await this.#log.close()
  }
}
