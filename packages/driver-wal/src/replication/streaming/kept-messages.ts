import type { OpenFile } from './spill-file.ts'
import { SpillFile } from './spill-file.ts'

/** How much memory is taken at once. */
const BLOCK_BYTES = 256 * 1024
/** The first time less: a server may have many transactions open. */
const FIRST_BLOCK_BYTES = 16 * 1024
/**
 * How much is read from the disk at once: as much as a socket gives. What is larger goes through the same allocator in
 * another way, and a quarter more memory was seen to be taken.
 */
const READ_BYTES = 64 * 1024

/** In front of each message: a type byte, a length (as the protocol's own messages), a transaction id, a place. */
export const RECORD_HEADER_BYTES: number = 4 + 8
const FRAME_BYTES = 5
const RECORD = 0x6d // 'm'

/** How many blocks one that goes to the disk keeps: one to fill, and one that was begun when the first was full. */
const BLOCKS_OF_SPILLED = 2

interface Block {
  readonly bytes: Buffer<ArrayBuffer>
  used: number
}

/**
 * The messages of one open transaction, in the order in which they arrived: the first of them on the disk, where they
 * were too many, the others in memory.
 *
 * Each is kept as a message of its own that `FrameReader` cuts: the id of its subtransaction (4 bytes), its place
 * (8 bytes), and then what protocol 1 would have sent.
 */
export class KeptMessages {
  #blocks: Block[] = []
  /** Memory that is written to the disk, to be filled again. */
  #spare: Block[] = []
  #memoryBytes = 0
  #count = 0
  #file: SpillFile | null = null
  #isClosed = false

  /** How many messages there are. */
  get count(): number {
    return this.#count
  }

  /** How much memory it holds. */
  get memoryBytes(): number {
    return this.#memoryBytes
  }

  /** Whether some of it is on the disk, and there is enough for it to be worth writing more. */
  get isDue(): boolean {
    return this.#file !== null && this.#blocks.length >= BLOCKS_OF_SPILLED
  }

  /**
   * Adds a message: `buffer[start]` is its type, and what follows from `body` on is what protocol 1 sends behind that.
   */
  add(xid: number, lsnHigh: number, lsnLow: number, buffer: Buffer, start: number, body: number, end: number): void {
    const length = RECORD_HEADER_BYTES + 1 + (end - body)
    const { bytes, used } = this.#room(FRAME_BYTES + length)
    bytes[used] = RECORD
    bytes.writeUInt32BE(4 + length, used + 1)
    bytes.writeUInt32BE(xid, used + 5)
    bytes.writeUInt32BE(lsnHigh, used + 9)
    bytes.writeUInt32BE(lsnLow, used + 13)
    bytes[used + 17] = buffer[start] ?? 0
    buffer.copy(bytes, used + 18, body, end)
    this.#count += 1
  }

  /**
   * Moves what is in memory to the disk.
   *
   * @param goesOn keeps some of the memory for what follows.
   * @throws RowtapError ERR_STORAGE
   */
  async spill(openFile: OpenFile, goesOn: boolean): Promise<void> {
    this.#file ??= await SpillFile.open(openFile)
    for (const { bytes, used } of this.#blocks) await this.#file.append(bytes.subarray(0, used))
    const usable = [...this.#blocks, ...this.#spare].filter(({ bytes }) => bytes.length === BLOCK_BYTES)
    const spare = goesOn ? usable.slice(0, BLOCKS_OF_SPILLED) : []
    for (const block of [...this.#blocks, ...this.#spare]) if (!spare.includes(block)) free(block)
    this.#spare = spare
    this.#blocks = []
    this.#memoryBytes = this.#spare.length * BLOCK_BYTES
    // It was closed while it was being written.
    if (this.#isClosed) await this.#file.close()
  }

  /**
   * The next bytes, from the first message on; `null` behind the last one. What was returned is not kept.
   *
   * @throws RowtapError ERR_STORAGE
   */
  async next(): Promise<Buffer | null> {
    const spilled = await this.#file?.next(READ_BYTES)
    if (spilled !== undefined && spilled !== null) return spilled
    for (const spare of this.#spare) this.#memoryBytes -= spare.bytes.length
    this.#spare = []
    const block = this.#blocks.shift()
    if (block === undefined) return null
    this.#memoryBytes -= block.bytes.length
    return block.bytes.subarray(0, block.used)
  }

  /** Frees memory and disk. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#blocks = []
    this.#spare = []
    this.#memoryBytes = 0
    await this.#file?.close()
  }

  /** Room for so many bytes: where it begins. */
  #room(length: number): { readonly bytes: Buffer; readonly used: number } {
    let block = this.#blocks.at(-1)
    if (block === undefined || block.bytes.length - block.used < length) {
      block = this.#block(length)
      this.#blocks.push(block)
    }
    const { bytes, used } = block
    block.used += length
    return { bytes, used }
  }

  #block(length: number): Block {
    const spare = length <= BLOCK_BYTES ? this.#spare.pop() : undefined
    if (spare !== undefined) {
      spare.used = 0
      return spare
    }
    const usual = this.#blocks.length === 0 && this.#file === null ? FIRST_BLOCK_BYTES : BLOCK_BYTES
    const bytes = Buffer.allocUnsafeSlow(Math.max(usual, length))
    this.#memoryBytes += bytes.length
    return { bytes, used: 0 }
  }
}

/** Gives memory back at once: until the garbage collector came to it, as much again would have been taken. */
function free({ bytes }: Block): void {
  bytes.buffer.transfer(0)
}
