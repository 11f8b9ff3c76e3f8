import { MalformedMessage } from '../pgoutput/malformed-message.ts'
import { uint32At } from '../pgoutput/number-at.ts'

const HEADER_BYTES = 5
/** The server builds no message that is longer: it is the most that it allocates at once (`MaxAllocSize`). */
const LONGEST_BYTES = 0x3fffffff

/**
 * Cuts received bytes into the protocol's messages: a type byte, a length, a payload.
 *
 * After {@link next} has returned true, `type` is the message's type and `buffer` holds its payload between
 * `start` and `end`. The bytes are those that were received last, or a copy where a message arrived in pieces.
 */
export class FrameReader {
  type = 0
  buffer: Buffer = Buffer.alloc(0)
  start = 0
  end = 0
  #at = 0
  /** The beginning of a message whose rest has not arrived, in pieces: joined once, however many there are. */
  #pieces: Buffer[] = []
  #pieceBytes = 0
  #neededBytes = 0
  /** What is behind the message that was joined: it is not copied. */
  #behind: Buffer | null = null

  /** Takes the bytes that arrived next. Call it only after {@link next} has returned false. */
  push(chunk: Buffer): void {
    if (this.#pieceBytes === 0) {
      this.buffer = chunk
      this.#at = 0
      return
    }
    this.#pieces.push(chunk)
    this.#pieceBytes += chunk.length
  }

  /** Whether bytes that were pushed are still to be read, although {@link next} has returned false: of a message in pieces. */
  get holdsPushed(): boolean {
    // The first piece is a copy.
    return this.#pieces.length > 1
  }

  /**
   * Goes to the next message; false where it has not arrived completely.
   *
   * @throws MalformedMessage where its length cannot be one. Nothing can be found behind it then: so does every call after.
   */
  next(): boolean {
    if (this.#pieceBytes > 0 && !this.#join()) return false
    if (this.#at === this.buffer.length && this.#behind !== null) {
      this.buffer = this.#behind
      this.#behind = null
      this.#at = 0
    }
    const available = this.buffer.length - this.#at
    if (available === 0) return false
    const needed = available < HEADER_BYTES ? HEADER_BYTES : lengthAt(this.buffer, this.#at)
    if (available < needed) {
      this.#keep(needed)
      return false
    }
    this.type = this.buffer[this.#at] ?? 0
    this.start = this.#at + HEADER_BYTES
    this.end = this.#at + needed
    this.#at = this.end
    return true
  }

  /** The current message with its header, as it was received. */
  frame(): Buffer {
    return this.buffer.subarray(this.start - HEADER_BYTES, this.end)
  }

  #keep(needed: number): void {
    // A copy: whoever received the bytes need not keep them for the little that is left.
    const rest = Buffer.from(this.buffer.subarray(this.#at))
    this.#pieces = [rest]
    this.#pieceBytes = rest.length
    this.#neededBytes = needed
    this.buffer = Buffer.alloc(0)
    this.#at = 0
  }

  /** Makes one of the pieces of a message, and nothing else; false where some are missing. */
  #join(): boolean {
    if (this.#pieceBytes < this.#neededBytes) return false
    if (this.#neededBytes === HEADER_BYTES) {
      this.#neededBytes = lengthAt(Buffer.concat(this.#pieces, HEADER_BYTES), 0)
      if (this.#pieceBytes < this.#neededBytes) return false
    }
    const last = this.#pieces.at(-1)
    const behind = this.#pieceBytes - this.#neededBytes
    this.#behind = last === undefined || behind === 0 ? null : last.subarray(last.length - behind)
    this.buffer = Buffer.concat(this.#pieces, this.#neededBytes)
    this.#at = 0
    this.#pieces = []
    this.#pieceBytes = 0
    return true
  }
}

/** The length of the message that begins here, its type byte included. */
function lengthAt(buffer: Buffer, at: number): number {
  const length = uint32At(buffer, at + 1)
  if (length < 4 || length > LONGEST_BYTES) throw new MalformedMessage(`a message with a length of ${length} bytes`)
  return 1 + length
}
