/**
 * The engine copies a part of a text that is shorter than this; a longer one would be a reference to the whole text, and
 * keep it in memory.
 */
const SHORTEST_SHARED = 13
/** From so many characters on, a call out of the engine costs less than putting a text together. */
const LONGEST_JOINED = 2 * (SHORTEST_SHARED - 1)
/** More bytes are those of a row with large values: a text of them would take as much again, and may be longer than one can be. */
const MOST_CHARACTERS = 1024 * 1024

/**
 * Bytes as they were received, from which many short texts are read.
 *
 * Making a text of some bytes is a call out of the engine, which costs several times what cutting parts out of another
 * text does: so all of the bytes are made a text once, where each of them is a character.
 */
export class ReceivedBytes {
  readonly buffer: Buffer
  private made: string | null = null

  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  /** The text in UTF-8 between two offsets. */
  text(start: number, end: number): string {
    const { buffer } = this
    const length = end - start
    const characters = length > LONGEST_JOINED || !isAscii(buffer, start, end) ? null : this.characters
    if (characters === null) return buffer.toString(undefined, start, end)
    if (length < SHORTEST_SHARED) return characters.substring(start, end)
    const middle = start + SHORTEST_SHARED - 1
    return characters.substring(start, middle) + characters.substring(middle, end)
  }

  /**
   * All of the bytes as a text, where each of them is a character, for whoever keeps no part of it: that could keep all of it
   * in memory. `null`: there are too many.
   */
  get characters(): string | null {
    if (this.buffer.length > MOST_CHARACTERS) return null
    this.made ??= this.buffer.toString('latin1')
    return this.made
  }
}

function isAscii(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if ((buffer[at] ?? 0) > 127) return false
  return true
}
