import { isAscii } from 'node:buffer'

/** The engine copies a part of a text that is shorter than this; a longer one would keep the whole text in memory. */
const SHORTEST_SHARED = 13

/**
 * Bytes as they were received, from which many short texts are read.
 *
 * Making a text of some bytes is a call out of the engine, which costs several times what cutting a part out of another
 * text does: so all of the bytes are made a text once, where each of them is a character.
 */
export class ReceivedBytes {
  readonly buffer: Buffer
  /** All of the bytes; `null` where they are more than ASCII, `undefined` until it is needed. */
  private ascii: string | null | undefined = undefined

  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  /** The text between two offsets. */
  text(start: number, end: number): string {
    if (end - start >= SHORTEST_SHARED) return this.buffer.toString('utf8', start, end)
    if (this.ascii === undefined) this.ascii = isAscii(this.buffer) ? this.buffer.toString('latin1') : null
    return this.ascii === null ? this.buffer.toString('utf8', start, end) : this.ascii.substring(start, end)
  }
}
