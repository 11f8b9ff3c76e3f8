/** A smaller chunk may share its memory with others. */
const LARGE_BYTES = 16 * 1024

/**
 * Bytes that were received together, and how many may read them yet: the reader that cuts them into messages, and each
 * batch with changes that lie in them.
 *
 * The memory is given back with the last of them. The garbage collector learns of it late: it would let tens of megabytes
 * gather, and then look through all of the heap.
 */
export class ReceivedChunk {
  readonly bytes: Buffer
  #users = 1

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** One more may read them. */
  use(): void {
    this.#users += 1
  }

  /** One of them does not any more. */
  release(): void {
    this.#users -= 1
    if (this.#users > 0) return
    const memory = this.bytes.buffer
    const isAll = this.bytes.length === memory.byteLength
    if (memory instanceof ArrayBuffer && isAll && this.bytes.length >= LARGE_BYTES) memory.transfer(0)
  }
}
