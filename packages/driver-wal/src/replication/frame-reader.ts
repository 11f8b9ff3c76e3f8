const HEADER_BYTES = 5

/**
 * Cuts received bytes into the protocol's messages: a type byte, a length, a payload.
 *
 * After {@link next} has returned true, `type` is the message's type and `buffer` holds its payload between
 * `start` and `end`. The bytes are those that were received, not a copy, and are never written to again: whoever
 * keeps a part of them may.
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

  /** Takes the bytes that arrived next. Call it only after {@link next} has returned false. */
  push(chunk: Buffer): void {
    if (this.#pieceBytes === 0) {
      this.buffer = chunk
      this.#at = 0
      return
    }
    this.#pieces.push(chunk)
    this.#pieceBytes += chunk.length
    if (this.#pieceBytes < this.#neededBytes) return
    this.buffer = Buffer.concat(this.#pieces)
    this.#at = 0
    this.#pieces = []
    this.#pieceBytes = 0
  }

  /** Goes to the next message; false where it has not arrived completely. */
  next(): boolean {
    if (this.#pieceBytes > 0) return false
    const available = this.buffer.length - this.#at
    if (available === 0) return false
    const needed = available < HEADER_BYTES ? HEADER_BYTES : 1 + this.buffer.readUInt32BE(this.#at + 1)
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
    const rest = this.buffer.subarray(this.#at)
    this.#pieces = [rest]
    this.#pieceBytes = rest.length
    this.#neededBytes = needed
    this.buffer = Buffer.alloc(0)
    this.#at = 0
  }
}
