import { setTimeout as sleep } from 'node:timers/promises'
import type { Change, ChangeBatch, Relation } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import type { RelationRegistry } from '../catalog/relation-registry.ts'
import { MalformedMessage } from '../pgoutput/malformed-message.ts'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import { ChangeDecoder } from './change-decoder.ts'
import { FrameReader } from './frame-reader.ts'
import type { InFlight } from './in-flight.ts'
import { formatLsn } from './lsn.ts'
import type { SocketReader } from './socket-reader.ts'
import { WalChange } from './wal-change.ts'

/** How long to wait before asking again whether a transaction that has arrived can be seen. */
const VISIBILITY_PAUSE_MS = 2

/** About how much one batch may hold. */
const BATCH_BYTES = 256 * 1024

const COPY_DATA = 0x64 // 'd'
const WAL_DATA = 0x77 // 'w'
const KEEPALIVE = 0x6b // 'k'
/** The type byte, and three numbers of 64 bits: place, end of the log, time. */
const WAL_DATA_HEADER_BYTES = 25

/** What a {@link ChangeStream} works with. */
export interface ChangeStreamParts {
  readonly reader: SocketReader
  readonly relations: RelationRegistry
  readonly inFlight: InFlight
  /** The server wants to hear from us. */
  readonly answer: () => void
}

/** Cuts, decodes and batches what the server sends, when it is asked to and no sooner. */
export class ChangeStream {
  readonly #parts: ChangeStreamParts
  readonly #frames = new FrameReader()
  readonly #decoder: ChangeDecoder
  #isEnded = false
  /** The call of {@link next} that is under way. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: ChangeStreamParts) {
    this.#parts = parts
    this.#decoder = new ChangeDecoder(parts.inFlight)
  }

  /**
   * What has arrived, up to the size of a batch; `null` where the stream has ended, or the
   * connection is closed and nothing is left.
   *
   * @throws RowtapError ERR_DECODE
   */
  next(): Promise<ChangeBatch | null> {
    const batch = this.#next()
    this.#turn = batch.catch(() => undefined)
    return batch
  }

  /** Makes {@link next} return `null`, now and later. */
  end(): void {
    this.#isEnded = true
    this.#parts.reader.wake()
  }

  /** Throws away what arrives, except for what is `pg`'s, until the connection is closed. */
  async discard(): Promise<void> {
    const { reader } = this.#parts
    this.end()
    await this.#turn
    for (;;) {
      if (!this.#frames.next()) {
        const chunk = reader.take()
        if (chunk !== null) this.#frames.push(chunk)
        else if (reader.isEnded) return
        else await reader.arrival()
      } else if (this.#frames.type !== COPY_DATA) {
        reader.handOver(this.#frames.frame())
      }
    }
  }

  async #next(): Promise<ChangeBatch | null> {
    const { reader, relations } = this.#parts
    while (!this.#isEnded) {
      const batch = await this.#gather()
      if (batch.changes.length > 0) return relations.isComparing ? await this.#upToDate(batch) : batch
      if (reader.isEnded) return null
      await reader.arrival()
    }
    return null
  }

  async #gather(): Promise<ChangeBatch> {
    const frames = this.#frames
    const changes: Change[] = []
    let bytes = 0
    while (bytes < BATCH_BYTES) {
      if (!frames.next()) {
        const chunk = this.#parts.reader.take()
        if (chunk === null) break
        frames.push(chunk)
      } else if (frames.type === COPY_DATA) {
        bytes += frames.end - frames.start
        const pending = this.#data(changes)
        if (pending !== null) await pending
      } else {
        this.#parts.reader.handOver(frames.frame())
      }
    }
    return { changes, bytes }
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
    this.#decoder.redefine(current)
    const changes = batch.changes.map((change) => {
      const relation = current(change.relation)
      return relation === change.relation || !(change instanceof WalChange) ? change : change.ofRelation(relation)
    })
    return { ...batch, changes }
  }

  async #define(message: RelationMessage): Promise<void> {
    const { relations } = this.#parts
    const { transaction } = this.#decoder
    while (transaction !== null && !this.#isEnded && !(await relations.isSettled(message.oid, transaction))) {
      await sleep(VISIBILITY_PAUSE_MS)
    }
    this.#decoder.define(message, await relations.ofMessage(message))
  }

  /** Returns a promise where the next message must wait for it. */
  #data(changes: Change[]): Promise<void> | null {
    const { buffer, start, end } = this.#frames
    if (buffer[start] === WAL_DATA && end - start >= WAL_DATA_HEADER_BYTES) {
      const high = buffer.readUInt32BE(start + 1)
      const low = buffer.readUInt32BE(start + 5)
      try {
        const message = this.#decoder.decode(buffer, start + WAL_DATA_HEADER_BYTES, end, high, low, changes)
        if (message === null) return null
        return this.#define(message)
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

  #malformed(cause: unknown): unknown {
    if (!(cause instanceof MalformedMessage)) return cause
    const { buffer, start, end } = this.#frames
    const place = end - start >= 9 ? formatLsn(buffer.readBigUInt64BE(start + 1)) : 'unknown'
    return new RowtapError('ERR_DECODE', {
      message: `A message of the server could not be understood, at ${place} of the write-ahead log: ${cause.message}.`,
      cause,
    })
  }
}
