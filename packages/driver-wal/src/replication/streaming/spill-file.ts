import { randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { RowtapError } from '@rowtap/core/driver'
import { messageOf } from '../../errors/database-error.ts'

/** Opens a new file for reading and writing, which nobody else can open and which is gone when it is closed. */
export type OpenFile = () => Promise<FileHandle>

/**
 * Opens files in a directory. Each has no name any more by the time that it is written to: the system frees it when it
 * is closed, or the program ends in whatever way.
 */
export function openIn(directory: string): OpenFile {
  return async () => {
    const path = join(directory, `rowtap-${process.pid}-${randomBytes(8).toString('hex')}`)
    const file = await open(path, 'wx+', 0o600)
    try {
      await unlink(path)
    } catch (error) {
      await file.close()
      throw error
    }
    return file
  }
}

/** Bytes on the disk, written from front to end, then read from front to end. */
export class SpillFile {
  readonly #file: FileHandle
  #written = 0
  #read = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** @throws RowtapError ERR_STORAGE */
  static async open(openFile: OpenFile): Promise<SpillFile> {
    try {
      return new SpillFile(await openFile())
    } catch (error) {
      throw storageError('made', error)
    }
  }

  /**
   * Adds bytes. They may be written over when the promise has resolved.
   *
   * @throws RowtapError ERR_STORAGE
   */
  async append(bytes: Buffer): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        // A disk that is about to be full takes a part.
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#written)
        at += bytesWritten
        this.#written += bytesWritten
      }
    } catch (error) {
      throw storageError('written', error)
    }
  }

  /**
   * The next bytes, at most so many, in memory of their own; `null` at the end.
   *
   * @throws RowtapError ERR_STORAGE
   */
  async next(length: number): Promise<Buffer | null> {
    const wanted = Math.min(length, this.#written - this.#read)
    if (wanted === 0) return null
    const bytes = Buffer.allocUnsafeSlow(wanted)
    try {
      for (let at = 0; at < wanted;) {
        const { bytesRead } = await this.#file.read(bytes, at, wanted - at, this.#read)
        if (bytesRead === 0) throw new Error('it is shorter than what was written to it')
        at += bytesRead
        this.#read += bytesRead
      }
    } catch (error) {
      throw storageError('read', error)
    }
    return bytes
  }

  /** Frees it. */
  async close(): Promise<void> {
    await this.#file.close()
  }
}

/**
 * Makes a file in the directory, and lets go of it: where that cannot be, it is better known before a transaction needs it.
 *
 * @throws RowtapError ERR_STORAGE
 */
export async function checkDirectory(directory: string): Promise<void> {
  try {
    const file = await openIn(directory)()
    await file.close()
  } catch (cause) {
    throw new RowtapError('ERR_STORAGE', {
      message:
        `No file for large transactions can be made in ${directory} (${messageOf(cause)}). ` +
        `Let the program write there, name another directory with spillDirectory, or set streaming to 'off'.`,
      cause,
    })
  }
}

function storageError(what: string, cause: unknown): RowtapError {
  return new RowtapError('ERR_STORAGE', {
    message:
      `A large transaction that is still open has to wait in a temporary file, which could not be ${what} (${messageOf(cause)}). ` +
      `Make room there, name another directory with spillDirectory, or set streaming to 'off'. ` +
      `Nothing is acknowledged of it: with a subscription it comes again.`,
    cause,
  })
}
