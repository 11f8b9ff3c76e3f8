import type { Change } from '@rowtap/core/driver'
import { MalformedMessage } from '../../pgoutput/malformed-message.ts'
import type { RelationMessage } from '../../pgoutput/relation-message.ts'
import type { StreamCommit } from '../../pgoutput/stream-messages.ts'
import type { ChangeDecoder } from '../change-decoder.ts'
import { FrameReader } from '../frame-reader.ts'
import { RECORD_HEADER_BYTES } from './kept-messages.ts'
import type { OpenTransaction } from './open-transactions.ts'

/** Decodes what was kept of a transaction that is committed, as much as is asked for. */
export class TransactionReplay {
  readonly #transaction: OpenTransaction
  readonly #commit: StreamCommit
  readonly #decoder: ChangeDecoder
  readonly #frames = new FrameReader()
  /** How many messages are not decoded yet. */
  #left: number
  #isDone = false

  constructor(transaction: OpenTransaction, commit: StreamCommit, decoder: ChangeDecoder) {
    this.#transaction = transaction
    this.#left = transaction.messages.count
    this.#commit = commit
    this.#decoder = decoder
  }

  /**
   * From now on the decoder is in the transaction.
   *
   * @throws MalformedMessage where it is in another one.
   */
  begin(): void {
    this.#decoder.begin(this.#commit)
  }

  /** Whether everything was decoded: the decoder is outside of the transaction again. */
  get isDone(): boolean {
    return this.#isDone
  }

  /**
   * Decodes about so many bytes, and adds the changes in them.
   *
   * @param define makes known what the changes of a table look like from there on.
   * @returns how many bytes it were.
   * @throws MalformedMessage
   * @throws RowtapError ERR_STORAGE
   */
  async decode(
    changes: Change[],
    budgetBytes: number,
    define: (message: RelationMessage) => Promise<void>,
  ): Promise<number> {
    const frames = this.#frames
    const { messages, aborted } = this.#transaction
    let bytes = 0
    while (this.#left > 0 && bytes < budgetBytes) {
      if (!frames.next()) {
        const chunk = await messages.next()
        if (chunk === null) throw new MalformedMessage(`${this.#left} messages that were kept are gone`)
        frames.push(chunk)
        continue
      }
      const { buffer, start, end } = frames
      bytes += end - start
      this.#left -= 1
      if (aborted.has(buffer.readUInt32BE(start))) continue
      const high = buffer.readUInt32BE(start + 4)
      const low = buffer.readUInt32BE(start + 8)
      const shape = this.#decoder.decode(buffer, start + RECORD_HEADER_BYTES, end, high, low, changes)
      if (shape !== null) await define(shape)
    }
    // At once with its last change: who has handled that has handled the transaction.
    if (this.#left === 0) await this.#end()
    return bytes
  }

  /** Frees what was kept. */
  async close(): Promise<void> {
    await this.#transaction.messages.close()
  }

  async #end(): Promise<void> {
    this.#isDone = true
    this.#decoder.commit(this.#commit.end, this.#transaction.arrivals)
    await this.close()
  }
}
