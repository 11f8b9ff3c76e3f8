import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { dataHome } from '../postgres/keeper/data-home.ts'
import { ConsumerProcess } from './consumer-process.ts'
import { TRY_AGAIN } from './consumer/consumer-options.ts'

/** What the consumers of a run have in common. */
export interface ConsumersOptions {
  readonly module: string
  readonly nodeArguments: readonly string[]
  readonly url: string
  readonly subscription: string
  /** Whether the driver connects again by itself, so that a lost connection is no reason to end. */
  readonly reconnects: boolean
}

/** What the notes of markers begin with. */
export const MARKER = 'marker '

/** The consumers of a run, one after another. Disposing of it kills those that live, and removes their logs. */
export class Consumers implements AsyncDisposable {
  readonly lives: ConsumerProcess[] = []
  readonly #options: ConsumersOptions
  readonly #directory: string
  readonly #markers = new Set<string>()
  #handlings = 0

  private constructor(options: ConsumersOptions, directory: string) {
    this.#options = options
    this.#directory = directory
  }

  static async create(options: ConsumersOptions): Promise<Consumers> {
    return new Consumers(options, await mkdtemp(join(await dataHome(), 'rowtap-chaos-')))
  }

  /** The one that was started last. */
  get newest(): ConsumerProcess {
    return this.lives.at(-1) ?? this.start()
  }

  /** How many handlings are known. */
  get handlings(): number {
    return this.#handlings
  }

  /** Starts a process, whose events are acknowledged one by one or many at a time: that alternates. */
  start(): ConsumerProcess {
    const number = this.lives.length + 1
    const { module, nodeArguments, url, subscription } = this.#options
    const life = new ConsumerProcess({
      module,
      nodeArguments,
      url,
      subscription,
      name: `life ${number}`,
      handling: number % 2 === 0 ? 'each' : 'together',
      log: join(this.#directory, `${number}.jsonl`),
      take: (event) => {
        if (event.new?.note?.startsWith(MARKER) === true) this.#markers.add(event.new.note)
        this.#handlings += 1
        return { event, order: this.#handlings - 1 }
      },
    })
    this.lives.push(life)
    return life
  }

  /** Takes what was handled since the last call. */
  async read(): Promise<void> {
    for (const life of this.lives) if (!life.isFinished) await life.read()
  }

  /** Starts another one where the newest has ended by itself for a reason that passes, as whoever runs a service does. */
  async keepRunning(): Promise<void> {
    if (!this.newest.isOver) return
    await this.newest.finish()
    if (this.newest.exitCode === TRY_AGAIN) this.start()
  }

  /** Whether one of them has handled this marker. */
  hasHandled(marker: string): boolean {
    return this.#markers.has(marker)
  }

  /** How things are, for the message of a failure. */
  describe(): string {
    const { name, handlings, told, isOver } = this.newest
    const last = told.slice(-5).map(({ note, text }) => `\n- ${note} ${text}`)
    return `${name} ${isOver ? 'is over' : 'lives'} and has handled ${handlings.length} changes of ${this.#handlings}; it has told${last.join('')}`
  }

  /** What consumers did or told that they should not have, as sentences. */
  violations(): string[] {
    return this.lives.flatMap((life) => {
      const gaps = life.told
        .filter(({ note }) => note === 'gap')
        .map(({ text }) => `${life.name} was told of a gap: ${text}`)
      const passes = life.exitCode === TRY_AGAIN && (!this.#options.reconnects || !life.hasTold('connected'))
      if (life.exitCode === null || life.exitCode === 0 || passes) return gaps
      const last = life.told.at(-1)
      return [...gaps, `${life.name} ended with exit code ${life.exitCode}: ${last?.note} ${last?.text} ${life.errors}`]
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.lives.filter(({ isOver }) => !isOver).map((life) => life.kill()))
    await rm(this.#directory, { recursive: true, force: true })
  }
}
