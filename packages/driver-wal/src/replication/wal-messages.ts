import type { Change, Relation } from '@rowtap/core/driver'
import { MalformedMessage } from '../pgoutput/malformed-message.ts'
import { STREAM_ABORT, STREAM_COMMIT, STREAM_START, STREAM_STOP } from '../pgoutput/message-type.ts'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import { readStreamAbort, readStreamCommit, readStreamStart } from '../pgoutput/stream-messages.ts'
import type { TypeMessage } from '../pgoutput/type-message.ts'
import type { OnLogicalMessage } from './change-decoder.ts'
import { ChangeDecoder } from './change-decoder.ts'
import type { InFlight } from './in-flight.ts'
import type { OpenTransactionsOptions } from './streaming/open-transactions.ts'
import { OpenTransactions } from './streaming/open-transactions.ts'
import { TransactionReplay } from './streaming/transaction-replay.ts'

/** Makes relations of the shapes that the stream announces. */
export interface RelationSource {
  ofMessage(message: RelationMessage, types: ReadonlyMap<number, TypeMessage>): Promise<Relation>
  /** Whether the catalogue is as new as what a transaction, whose changes arrive, did to a table. */
  isSettled(oid: number, transaction: string): Promise<boolean>
  /** Whether there is anything to {@link refresh}. */
  readonly isComparing: boolean
  /**
   * Looks whether something about the relations has changed that the stream does not tell.
   *
   * @param transactions those whose changes have arrived.
   * @returns false where they are too young to be seen: it is to be called again.
   */
  refresh(transactions: readonly string[]): Promise<boolean>
  /** The relation of the same shape as it is known now. */
  current(relation: Relation): Relation
}

/** What {@link WalMessages} works with. */
export interface WalMessagesParts {
  readonly relations: Pick<RelationSource, 'ofMessage'>
  readonly inFlight: InFlight
  /** Resolves when the catalogue is as new as what a transaction did to a table, or nothing is wanted any more. */
  readonly settled: (oid: number, transaction: string) => Promise<void>
  /** How open transactions are kept; `null` where the server sends none (`streaming: 'off'`). */
  readonly open: OpenTransactionsOptions | null
  /** Hears of logical messages. Left out: they are passed over. */
  readonly onMessage?: OnLogicalMessage
}

/**
 * Makes changes of the server's messages, one after another. A transaction that comes in parts while it is open is kept
 * until it is committed, and is replayed then: until that is done, nothing else is taken.
 *
 * ```
 * taking ──Stream Commit──▶ replaying ──the last change──▶ taking
 * ```
 */
export class WalMessages {
  readonly #relations: Pick<RelationSource, 'ofMessage'>
  readonly #settled: (oid: number, transaction: string) => Promise<void>
  readonly #decoder: ChangeDecoder
  readonly #open: OpenTransactions | null
  #replay: TransactionReplay | null = null

  constructor({ relations, inFlight, settled, open, onMessage }: WalMessagesParts) {
    this.#relations = relations
    this.#settled = settled
    this.#decoder = new ChangeDecoder(inFlight, onMessage)
    this.#open = open === null ? null : new OpenTransactions(open)
  }

  /** Whether {@link replay} has to be called before the next {@link take}. */
  get isReplaying(): boolean {
    return this.#replay !== null
  }

  /** Whether changes may refer to the bytes of a message: those of an open transaction are copied. */
  refersTo(type: number | undefined): boolean {
    if (this.#open === null) return true
    return !(this.#open.isInPart || type === STREAM_START || type === STREAM_STOP)
  }

  /**
   * Takes one message between two offsets of a buffer, and adds the changes in it.
   *
   * @param lsnHigh the upper half of the place that the server gave with it.
   * @returns a promise where the next message must wait for it.
   * @throws MalformedMessage
   */
  take(
    buffer: Buffer,
    start: number,
    end: number,
    lsnHigh: number,
    lsnLow: number,
    changes: Change[],
  ): Promise<void> | null {
    const open = this.#open
    if (open !== null) {
      switch (buffer[start]) {
        case STREAM_START:
          open.start(readStreamStart(buffer, start, end))
          return null
        case STREAM_STOP:
          if (end - start !== 1) throw new MalformedMessage(`${end - start - 1} bytes too many`)
          open.stop()
          return null
        case STREAM_COMMIT: {
          const commit = readStreamCommit(buffer, start, end)
          this.#replay = new TransactionReplay(open.take(commit.xid), commit, this.#decoder)
          this.#replay.begin()
          return null
        }
        case STREAM_ABORT:
          return open.abort(readStreamAbort(buffer, start, end))
        default:
          if (open.isInPart) return open.keep(buffer, start, end, lsnHigh, lsnLow, this.#arrival)
      }
    }
    const message = this.#decoder.decode(buffer, start, end, lsnHigh, lsnLow, changes)
    return message === null ? null : this.#define(message)
  }

  /**
   * Adds changes of the transaction that is replayed, of about so many bytes.
   *
   * @returns how many bytes it were.
   * @throws MalformedMessage
   * @throws RowtapError ERR_STORAGE
   */
  async replay(changes: Change[], budgetBytes: number): Promise<number> {
    if (this.#replay === null) return 0
    const bytes = await this.#replay.decode(changes, budgetBytes, this.#define)
    if (this.#replay.isDone) this.#replay = null
    return bytes
  }

  /** From now on changes are of these relations, each of the same shape as the one before. */
  redefine(current: (relation: Relation) => Relation): void {
    this.#decoder.redefine(current)
  }

  /** Forgets every transaction that is not delivered, and frees what is kept on the disk. */
  async close(): Promise<void> {
    await Promise.all([this.#open?.close(), this.#replay?.close()])
  }

  readonly #arrival = (): number => this.#decoder.arrival()

  readonly #define = async (message: RelationMessage): Promise<void> => {
    const { transaction } = this.#decoder
    if (transaction !== null) await this.#settled(message.oid, transaction)
    const relation = await this.#relations.ofMessage(message, this.#decoder.types)
    this.#decoder.define(message, relation)
  }
}
