import { setTimeout as sleep } from 'node:timers/promises'
import type { Change, ChangeBatch, PlacedMessage, Relation } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { MalformedMessage } from '../pgoutput/malformed-message.ts'
import { uint32At } from '../pgoutput/number-at.ts'
import { FrameReader } from './frame-reader.ts'
import type { OnLogicalMessage } from './change-decoder.ts'
import type { InFlight } from './in-flight.ts'
import type { Lsn } from './lsn.ts'
import { formatLsn, ZERO_LSN } from './lsn.ts'
import { ReceivedChunk } from './received-chunk.ts'
import type { SocketReader } from './socket-reader.ts'
import type { OpenTransactionsOptions } from './streaming/open-transactions.ts'
import { WalChange } from './wal-change.ts'
import type { RelationSource } from './wal-messages.ts'
import { WalMessages } from './wal-messages.ts'

/** How long to wait before asking again whether a transaction that has arrived can be seen. */
const VISIBILITY_PAUSE_MS = 2

/** About how much memory one batch may take. */
const BATCH_BYTES = 256 * 1024
/** About how much a change takes on its way to a handler, besides what was received. */
const CHANGE_BYTES = 400
/** What a change takes is at most about so many times what was received of it. */
const LARGEST_SHARE = 4

const COPY_DATA = 0x64 // 'd'
const WAL_DATA = 0x77 // 'w'
const KEEPALIVE = 0x6b // 'k'
/** The type byte, and three numbers of 64 bits: place, end of the log, time. */
const WAL_DATA_HEADER_BYTES = 25

/** What a {@link ChangeStream} works with. */
export interface ChangeStreamParts {
  readonly reader: SocketReader
  readonly relations: RelationSource
  readonly inFlight: InFlight
  /** How transactions are kept that the server sends while they are open; `null` where it sends none. */
  readonly open: OpenTransactionsOptions | null
  /** The server wants to hear from us. */
  readonly answer: () => void
  /** Whether logical messages are wanted. */
  readonly messages: boolean
}

/** Cuts, decodes and batches what the server sends, when it is asked to and no sooner. */
export class ChangeStream {
  readonly #parts: ChangeStreamParts
  #frames = new FrameReader()
  readonly #messages: WalMessages
  /** The two halves of the place of the message that arrived last. */
  #high = 0
  #low = 0
  /** What is cut into messages. */
  #chunk: ReceivedChunk | null = null
  /** What arrived before that of a message in pieces. */
  #pieces: ReceivedChunk[] = []
  /** What the changes of the batch that is made lie in. */
  #used: ReceivedChunk[] = []
  #isEnded = false
  /** Everything before this place was returned by earlier calls of {@link next}. */
  #passed: Lsn = ZERO_LSN
  /** The logical messages of the batch that is made. */
  #logicalMessages: PlacedMessage[] = []
  /** The call of {@link next} that is under way. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: ChangeStreamParts) {
    this.#parts = parts
    const onMessage: OnLogicalMessage = (message, at) => void this.#logicalMessages.push({ at, message })
    this.#messages = new WalMessages({
      ...parts,
      settled: (oid, transaction) => this.#settled(oid, transaction),
      ...(parts.messages ? { onMessage } : {}),
    })
  }

  /** Every change that was committed before this place was returned, and then asked for more. */
  get passed(): Lsn {
    return this.#passed
  }

  /**
   * What has arrived, up to the size of a batch; `null` where the stream has ended, or the
   * connection is closed and nothing is left.
   *
   * @throws RowtapError ERR_DECODE, ERR_STORAGE
   */
  next(): Promise<ChangeBatch | null> {
    this.#passed = this.#parts.inFlight.received
    const batch = this.#next()
    this.#turn = batch.catch(() => undefined)
    return batch
  }

  /** Makes {@link next} return `null`, now and later. */
  end(): void {
    this.#isEnded = true
    this.#parts.reader.wake()
  }

  /**
   * Ends the stream, and reads on to the end of a transaction of which no more changes come: one whose changes are all
   * handled is to be acknowledged.
   *
   * @param timeoutMs how long to wait for that.
   * @throws RowtapError ERR_DECODE
   */
  async finish(timeoutMs: number): Promise<void> {
    const { reader, inFlight } = this.#parts
    this.end()
    await this.#turn
    const deadline = performance.now() + timeoutMs
    const timer = setTimeout(() => reader.wake(), timeoutMs)
    const changes: Change[] = []
    this.#logicalMessages = []
    const isEmpty = (): boolean => changes.length === 0 && this.#logicalMessages.length === 0
    const isWanted = (): boolean =>
      inFlight.isInTransaction && isEmpty() && !this.#messages.isReplaying && performance.now() < deadline
    try {
      while (isWanted()) {
        if (!this.#nextFrame()) {
          const chunk = reader.take()
          if (chunk !== null) this.#push(chunk)
          else if (reader.isEnded) return
          else await reader.arrival()
        } else if (this.#frames.type === COPY_DATA) {
          await this.#data(changes)
        } else {
          this.#chunk?.use()
          reader.handOver(this.#frames.frame())
        }
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends the stream, and frees what it holds of transactions that are not delivered. */
  async release(): Promise<void> {
    this.end()
    await this.#turn
    await this.#messages.close()
  }

  /** Throws away what arrives, except for what is `pg`'s, until the connection is closed. */
  async discard(): Promise<void> {
    const { reader } = this.#parts
    await this.release()
    for (;;) {
      if (!this.#nextOfRest()) {
        const chunk = reader.take()
        if (chunk !== null) this.#push(chunk)
        else if (reader.isEnded) return
        else await reader.arrival()
      } else if (this.#frames.type !== COPY_DATA) {
        this.#chunk?.use()
        reader.handOver(this.#frames.frame())
      }
    }
  }

  async #next(): Promise<ChangeBatch | null> {
    let batch: ChangeBatch | null = null
    try {
      batch = await this.#batch()
      return batch
    } finally {
      // Nothing follows.
      if (batch === null) await this.#messages.close()
    }
  }

  async #batch(): Promise<ChangeBatch | null> {
    const { reader, relations } = this.#parts
    while (!this.#isEnded) {
      const batch = await this.#gather()
      if (batch.changes.length > 0 && relations.isComparing) return await this.#upToDate(batch)
      if (batch.changes.length > 0 || batch.messages !== undefined) return batch
      this.#passed = this.#parts.inFlight.received
      if (reader.isEnded) return null
      await reader.arrival()
    }
    return null
  }

  async #gather(): Promise<ChangeBatch> {
    const frames = this.#frames
    const changes: Change[] = []
    const messages: PlacedMessage[] = []
    this.#logicalMessages = messages
    const used: ReceivedChunk[] = []
    this.#used = used
    const isEmpty = (): boolean => changes.length === 0 && messages.length === 0
    let received = 0
    const bytes = (): number => received + changes.length * CHANGE_BYTES
    while (bytes() < BATCH_BYTES) {
      if (this.#messages.isReplaying) {
        received += await this.#replay(changes, Math.ceil((BATCH_BYTES - bytes()) / LARGEST_SHARE))
        if (!isEmpty()) break
      } else if (!this.#nextFrame()) {
        const chunk = this.#parts.reader.take()
        if (chunk === null) break
        this.#push(chunk)
      } else if (frames.type === COPY_DATA) {
        received += frames.end - frames.start
        const pending = this.#data(changes)
        if (pending === null) continue
        await pending
        // While there is something to wait for again and again, what is there does not wait.
        if (!isEmpty()) break
      } else {
        // Who knows for how long it keeps that.
        this.#chunk?.use()
        this.#parts.reader.handOver(frames.frame())
      }
    }
    const release = (): void => {
      for (const chunk of used.splice(0)) chunk.release()
    }
    return { changes, bytes: bytes(), release, ...(messages.length === 0 ? {} : { messages }) }
  }

  /** What was received may have labels of enumerations that its relations do not have yet. `null`: the stream has ended. */
  async #upToDate(batch: ChangeBatch): Promise<ChangeBatch | null> {
    const { relations } = this.#parts
    const transactions = [...new Set(batch.changes.map(({ transaction }) => transaction.id))]
    while (!(await relations.refresh(transactions))) {
      await sleep(VISIBILITY_PAUSE_MS)
      // What the labels are was not seen: nothing can be told of these changes.
      if (this.#isEnded) return null
    }
    const known = new Map<Relation, Relation>()
    const current = (relation: Relation): Relation => {
      const now = known.get(relation) ?? relations.current(relation)
      known.set(relation, now)
      return now
    }
    this.#messages.redefine(current)
    const changes = batch.changes.map((change) => {
      const relation = current(change.relation)
      return relation === change.relation || !(change instanceof WalChange) ? change : change.ofRelation(relation)
    })
    return { ...batch, changes }
  }

  /** The catalogue is not read before a transaction that altered the table can be seen. */
  async #settled(oid: number, transaction: string): Promise<void> {
    const { relations } = this.#parts
    while (!this.#isEnded && !(await relations.isSettled(oid, transaction))) await sleep(VISIBILITY_PAUSE_MS)
  }

  /** Returns a promise where the next message must wait for it. */
  #data(changes: Change[]): Promise<void> | null {
    const { buffer, start, end } = this.#frames
    if (buffer[start] === WAL_DATA && end - start >= WAL_DATA_HEADER_BYTES) {
      const message = start + WAL_DATA_HEADER_BYTES
      this.#high = uint32At(buffer, start + 1)
      this.#low = uint32At(buffer, start + 5)
      if (this.#messages.refersTo(buffer[message])) this.#use()
      try {
        return this.#messages.take(buffer, message, end, this.#high, this.#low, changes)
      } catch (error) {
        throw this.#malformed(error)
      }
    }
    if (buffer[start] === KEEPALIVE && end - start === 18) {
      this.#parts.inFlight.keepalive(buffer.readBigUInt64BE(start + 1))
      if (buffer[start + 17] === 1) this.#parts.answer()
      return null
    }
    throw this.#malformed(new MalformedMessage('neither data nor a keepalive'))
  }

  async #replay(changes: Change[], budgetBytes: number): Promise<number> {
    try {
      return await this.#messages.replay(changes, budgetBytes)
    } catch (error) {
      throw this.#malformed(error)
    }
  }

  /** What was received before is read to its end, unless a message in pieces is still to be made of it. */
  #push(bytes: Buffer): void {
    if (this.#chunk !== null) this.#pieces.push(this.#chunk)
    if (!this.#frames.holdsPushed) for (const chunk of this.#pieces.splice(0)) chunk.release()
    this.#chunk = new ReceivedChunk(bytes)
    this.#frames.push(bytes)
  }

  /** The batch that is made may have changes that lie in the chunk. */
  #use(): void {
    const chunk = this.#chunk
    if (chunk === null || this.#used.at(-1) === chunk) return
    chunk.use()
    this.#used.push(chunk)
  }

  #nextFrame(): boolean {
    try {
      return this.#frames.next()
    } catch (error) {
      throw this.#malformed(error)
    }
  }

  /** Of what is thrown away nobody wants to hear that it is malformed: it is thrown away to the end. */
  #nextOfRest(): boolean {
    try {
      return this.#frames.next()
    } catch {
      this.#frames = new FrameReader()
      return false
    }
  }

  #malformed(cause: unknown): unknown {
    if (!(cause instanceof MalformedMessage)) return cause
    const place = formatLsn((BigInt(this.#high) << 32n) | BigInt(this.#low))
    return new RowtapError('ERR_DECODE', {
      message: `A message of the server could not be understood, at ${place} of the write-ahead log: ${cause.message}.`,
      cause,
    })
  }
}
