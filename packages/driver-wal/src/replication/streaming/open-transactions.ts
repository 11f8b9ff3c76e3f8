import { MalformedMessage } from '../../pgoutput/malformed-message.ts'
import { ORIGIN, RELATION } from '../../pgoutput/message-type.ts'
import type { StreamAbort, StreamStart } from '../../pgoutput/stream-messages.ts'
import { AbortedSubtransactions } from './aborted-subtransactions.ts'
import { KeptMessages } from './kept-messages.ts'
import type { OpenFile } from './spill-file.ts'

/**
 * A transaction that has become so large will become larger, and is written to a file: memory is for those that stay small.
 * What was taken for it would not go back to the system when it is free again.
 */
const LARGE_BYTES = 8 * 1024 * 1024
/** The type byte, and the id of the transaction that protocol 2 puts behind it. */
const STREAMED_HEADER_BYTES = 5

/** What has arrived of a transaction that is not committed. */
export interface OpenTransaction {
  readonly messages: KeptMessages
  readonly aborted: AbortedSubtransactions
  /** When the last shape of each table arrived, by object id. */
  readonly arrivals: Map<number, number>
}

/** How open transactions are kept. */
export interface OpenTransactionsOptions {
  /** How much memory all of them may hold, in bytes. What is more is written to files. */
  readonly bufferBytes: number
  readonly openFile: OpenFile
}

/**
 * The transactions that the server sends while they are open, in parts, each part whole:
 *
 * ```
 * outside ──start()──▶ in a part of one transaction ──keep()──▶ …
 *    ▲                          │
 *    └──────────stop()──────────┘
 * ```
 * A transaction that is rolled back goes away with its file; of one that is committed, the caller takes over what was kept.
 */
export class OpenTransactions {
  readonly #options: OpenTransactionsOptions
  readonly #transactions = new Map<number, OpenTransaction>()
  #current: OpenTransaction | null = null
  #memoryBytes = 0

  constructor(options: OpenTransactionsOptions) {
    this.#options = options
  }

  /** Whether what arrives is a part of an open transaction. */
  get isInPart(): boolean {
    return this.#current !== null
  }

  /** A part of a transaction begins. */
  start({ xid, isFirst }: StreamStart): void {
    if (this.#current !== null) throw new MalformedMessage('a part of a transaction begins within another')
    const known = this.#transactions.get(xid)
    if (isFirst !== (known === undefined)) throw new MalformedMessage(`a part of transaction ${xid} out of turn`)
    const transaction = known ?? {
      messages: new KeptMessages(),
      aborted: new AbortedSubtransactions(),
      arrivals: new Map<number, number>(),
    }
    this.#transactions.set(xid, transaction)
    this.#current = transaction
  }

  /** The part is complete. */
  stop(): void {
    if (this.#current === null) throw new MalformedMessage('a part of a transaction ends that has not begun')
    this.#current = null
  }

  /**
   * Keeps a message of the part that is arriving. Its bytes are copied.
   *
   * @param arrival numbers the shapes of tables in the order of their arrival.
   * @returns a promise where the next message must wait for it, because there is too much in memory.
   */
  keep(
    buffer: Buffer,
    start: number,
    end: number,
    lsnHigh: number,
    lsnLow: number,
    arrival: () => number,
  ): Promise<void> | null {
    const transaction = this.#current
    if (transaction === null) throw new MalformedMessage('a message outside a part of a transaction')
    // It belongs to the whole transaction, and has no id.
    if (buffer[start] === ORIGIN) return null
    const body = start + STREAMED_HEADER_BYTES
    if (body > end) throw new MalformedMessage('the message ends too early')
    if (buffer[start] === RELATION && body + 4 <= end) transaction.arrivals.set(buffer.readUInt32BE(body), arrival())
    const { messages } = transaction
    const before = messages.memoryBytes
    messages.add(buffer.readUInt32BE(start + 1), lsnHigh, lsnLow, buffer, start, body, end)
    this.#memoryBytes += messages.memoryBytes - before
    if (this.#memoryBytes > this.#options.bufferBytes) return this.#spillLargest()
    return messages.isDue || messages.memoryBytes > LARGE_BYTES ? this.#spill(messages, true) : null
  }

  /**
   * Something is rolled back: the transaction, or a part of it.
   *
   * @returns a promise where the next message must wait for it.
   */
  abort({ xid, subtransaction }: StreamAbort): Promise<void> | null {
    if (this.#current !== null) throw new MalformedMessage('a rollback within a part of a transaction')
    const transaction = this.#transactions.get(xid)
    if (transaction === undefined) return null
    if (xid === subtransaction) return this.take(xid).messages.close()
    transaction.aborted.add(subtransaction)
    return null
  }

  /** Takes out a transaction that is complete. What it holds is the caller's to close. */
  take(xid: number): OpenTransaction {
    const transaction = this.#transactions.get(xid)
    if (transaction === undefined) throw new MalformedMessage(`the end of transaction ${xid}, which has not begun`)
    if (this.#current !== null) throw new MalformedMessage('the end of a transaction within a part of one')
    this.#transactions.delete(xid)
    this.#memoryBytes -= transaction.messages.memoryBytes
    return transaction
  }

  /** Forgets everything, and frees what is on the disk. */
  async close(): Promise<void> {
    const open = [...this.#transactions.values()]
    this.#transactions.clear()
    this.#current = null
    this.#memoryBytes = 0
    await Promise.all(open.map(({ messages }) => messages.close()))
  }

  async #spillLargest(): Promise<void> {
    let largest: KeptMessages | null = null
    for (const { messages } of this.#transactions.values()) {
      if (messages.memoryBytes > (largest?.memoryBytes ?? 0)) largest = messages
    }
    if (largest !== null) await this.#spill(largest, false)
  }

  async #spill(messages: KeptMessages, goesOn: boolean): Promise<void> {
    const before = messages.memoryBytes
    await messages.spill(this.#options.openFile, goesOn)
    this.#memoryBytes += messages.memoryBytes - before
  }
}
