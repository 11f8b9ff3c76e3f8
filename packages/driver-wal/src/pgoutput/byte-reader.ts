import { MalformedMessage } from './malformed-message.ts'
import { uint16At, uint32At } from './number-at.ts'

/** Reads one message from front to end. Reading past the end throws MalformedMessage. */
export class ByteReader {
  readonly #buffer: Buffer
  readonly #end: number
  #at: number

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer
    this.#at = start
    this.#end = end
  }

  byte(): number {
    return this.#buffer.readUInt8(this.#take(1))
  }

  uint16(): number {
    return uint16At(this.#buffer, this.#take(2))
  }

  int32(): number {
    return uint32At(this.#buffer, this.#take(4)) | 0
  }

  uint32(): number {
    return uint32At(this.#buffer, this.#take(4))
  }

  uint64(): bigint {
    return this.#buffer.readBigUInt64BE(this.#take(8))
  }

  int64(): bigint {
    return this.#buffer.readBigInt64BE(this.#take(8))
  }

  /** Passes over so many bytes. */
  skip(length: number): void {
    this.#take(length)
  }

  /** So many bytes: those that were received, not a copy. */
  bytes(length: number): Buffer {
    const start = this.#take(length)
    return this.#buffer.subarray(start, start + length)
  }

  /** A text that ends with a zero byte. */
  cString(): string {
    const start = this.#at
    const zero = this.#buffer.indexOf(0, start)
    if (zero < 0 || zero >= this.#end) throw new MalformedMessage('a name without an end')
    this.#at = zero + 1
    return this.#buffer.toString('utf8', start, zero)
  }

  /** Throws MalformedMessage where something is left. */
  expectEnd(): void {
    if (this.#at !== this.#end) throw new MalformedMessage(`${this.#end - this.#at} bytes too many`)
  }

  #take(length: number): number {
    const start = this.#at
    if (start + length > this.#end) throw new MalformedMessage('the message ends too early')
    this.#at = start + length
    return start
  }
}
