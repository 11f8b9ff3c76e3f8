import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import type { LogLine } from './handled-log.ts'

/** Reads a consumer's log while it is written. */
export class HandledLogReader {
  readonly #path: string
  #file: FileHandle | null = null
  #rest = Buffer.alloc(0)
  #offset = 0
  #reading: Promise<readonly LogLine[]> = Promise.resolve([])

  constructor(path: string) {
    this.#path = path
  }

  /** The whole lines that have come since the last call. What a killed process left unfinished is never one. */
  read(): Promise<readonly LogLine[]> {
    // One after another: each goes on where the one before it ended.
    this.#reading = this.#reading.then(() => this.#read())
    return this.#reading
  }

  async close(): Promise<void> {
    await this.#reading
    await this.#file?.close()
    this.#file = null
  }

  async #read(): Promise<readonly LogLine[]> {
    this.#file ??= await openIfThere(this.#path)
    if (this.#file === null) return []
    const { size } = await this.#file.stat()
    if (size === this.#offset) return []
    const { bytesRead, buffer } = await this.#file.read(
      Buffer.alloc(size - this.#offset),
      0,
      size - this.#offset,
      this.#offset,
    )
    this.#offset += bytesRead
    const read = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)])
    const end = read.lastIndexOf('\n') + 1
    this.#rest = read.subarray(end)
    const lines = read.subarray(0, end).toString('utf8').split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as LogLine)
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
