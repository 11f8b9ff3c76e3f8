import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import type { HandledEvent } from './handled-event.ts'

/** A line of a consumer's log. */
export type LogLine =
  | { readonly kind: 'event'; readonly event: HandledEvent }
  /** Changes may have been missed. */
  | { readonly kind: 'gap'; readonly reason: string }
  /** Something else that the client told, or that became of it. */
  | { readonly kind: 'note'; readonly note: ConsumerNote; readonly text: string }

/**
 * - `connected`: it has the subscription.
 * - `ready`: its listeners are live.
 * - `closed`: it has closed in good order.
 */
export type ConsumerNote =
  | 'connected'
  | 'ready'
  | 'closed'
  | 'wait'
  | 'connecting again'
  | 'connected again'
  | 'retry'
  | 'failed'

/** What one life of a consumer has handled, in a file: durable, and in order. */
export class HandledLog {
  readonly #file: FileHandle
  #waiting: string[] = []
  #written: Promise<void> = Promise.resolve()
  #next: Promise<void> | null = null

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** Begins a log. The file must not be there. */
  static async create(path: string): Promise<HandledLog> {
    return new HandledLog(await open(path, 'ax'))
  }

  /** Adds a line. Resolves when it is on the disk with all before it; lines that come meanwhile share the next write. */
  append(line: LogLine): Promise<void> {
    this.#waiting.push(`${JSON.stringify(line)}\n`)
    this.#next ??= this.#written.then(() => this.#write())
    return this.#next
  }

  /** Waits for what was added, and closes the file. */
  async close(): Promise<void> {
    await this.#next
    await this.#written
    await this.#file.close()
  }

  #write(): Promise<void> {
    const text = this.#waiting.join('')
    this.#waiting = []
    this.#next = null
    this.#written = this.#file.appendFile(text).then(() => this.#file.datasync())
    return this.#written
  }
}
