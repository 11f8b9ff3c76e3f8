import type { Change, LogicalMessage, Position, Relation } from '@rowtap/core/driver'
import { ByteReader } from '../pgoutput/byte-reader.ts'
import type { LogicalMessage as ReceivedMessage } from '../pgoutput/logical-message.ts'
import { readLogicalMessage } from '../pgoutput/logical-message.ts'
import { MalformedMessage } from '../pgoutput/malformed-message.ts'
import {
  BEGIN,
  COMMIT,
  DELETE,
  INSERT,
  LOGICAL_MESSAGE,
  ORIGIN,
  RELATION,
  STREAM_ABORT,
  TRUNCATE,
  TYPE,
  UPDATE,
} from '../pgoutput/message-type.ts'
import { readOriginMessage } from '../pgoutput/origin-message.ts'
import { ReceivedBytes } from '../pgoutput/received-bytes.ts'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import { readRelationMessage } from '../pgoutput/relation-message.ts'
import { readRowMessage, tableOfRow } from '../pgoutput/row-message.ts'
import type { StreamCommit } from '../pgoutput/stream-messages.ts'
import { readStreamAbort } from '../pgoutput/stream-messages.ts'
import type { TypeMessage } from '../pgoutput/type-message.ts'
import { readTypeMessage } from '../pgoutput/type-message.ts'
import type { AnnouncedRelation } from './announced-relations.ts'
import { AnnouncedRelations } from './announced-relations.ts'
import type { InFlight } from './in-flight.ts'
import type { Lsn } from './lsn.ts'
import { halvesOf } from './lsn.ts'
import { dateOf, dateOfHalves } from './standby-status.ts'
import type { ArrivingTransaction, WalChangeParts } from './wal-change.ts'
import { WalChange } from './wal-change.ts'
import { walMessage } from './wal-message.ts'
import { positionPrefixOfHalves } from './wal-position.ts'

const TRUNCATED = { kind: 'truncate', new: null, old: null } as const

/**
 * Hears of a logical message.
 *
 * @param at how many changes of the batch come before it.
 */
export type OnLogicalMessage = (message: LogicalMessage, at: number) => void

/**
 * Turns messages of pgoutput's protocol 1 into changes. A transaction arrives whole and after its commit:
 *
 * ```
 * outside ──Begin, or begin()──▶ in a transaction ──Insert, Update, Delete, Truncate──▶ …
 *    ▲                                  │
 *    └─────────Commit, or commit()──────┘      Relation: before the first change of each shape
 * ```
 * One that came in parts is the same with `begin()` and `commit()`, once it is committed.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export class ChangeDecoder {
  readonly #inFlight: InFlight
  readonly #relations = new AnnouncedRelations()
  readonly #types = new Map<number, TypeMessage>()
  readonly #onMessage: OnLogicalMessage | null
  /** The bytes that the last row was in. */
  #received = new ReceivedBytes(Buffer.alloc(0))
  #arriving: ArrivingTransaction | null = null
  /** What came last of the transaction. */
  #last: { readonly position: Position } | null = null
  #lsnHigh = 0
  #lsnLow = 0
  #ordinal = 0

  constructor(inFlight: InFlight, onMessage: OnLogicalMessage | null = null) {
    this.#inFlight = inFlight
    this.#onMessage = onMessage
  }

  /** The types that are not PostgreSQL's own, by object id, as the stream has announced them. */
  get types(): ReadonlyMap<number, TypeMessage> {
    return this.#types
  }

  /** When a shape arrives that {@link commit} will be told of: the greater the number, the later. */
  arrival(): number {
    return this.#relations.arrival()
  }

  /** The xid of the transaction that is arriving; `null` between two of them. */
  get transaction(): string | null {
    return this.#arriving?.transaction.id ?? null
  }

  /** From now on changes of the table are of this relation. */
  define(message: RelationMessage, relation: Relation): void {
    this.#relations.set({ oid: message.oid, relation, columns: message.columns.length })
  }

  /** From now on changes are of these relations, each of the same shape as the one before. */
  redefine(current: (relation: Relation) => Relation): void {
    this.#relations.redefine(current)
  }

  /**
   * Decodes one message between two offsets of a buffer, and adds the changes in it.
   *
   * @param lsnHigh the upper half of the place that the server gave with it.
   * @returns a shape that has to be defined before the next message, otherwise `null`.
   * @throws MalformedMessage
   */
  decode(
    buffer: Buffer,
    start: number,
    end: number,
    lsnHigh: number,
    lsnLow: number,
    changes: Change[],
  ): RelationMessage | null {
    switch (buffer[start]) {
      case INSERT:
      case UPDATE:
      case DELETE:
        this.#place(lsnHigh, lsnLow)
        this.#row(buffer, start, end, changes)
        return null
      case BEGIN:
        this.#readBegin(new ByteReader(buffer, start + 1, end))
        return null
      case COMMIT:
        this.#readCommit(new ByteReader(buffer, start + 1, end))
        return null
      case RELATION:
        return readRelationMessage(buffer, start, end)
      case TRUNCATE:
        this.#place(lsnHigh, lsnLow)
        this.#truncate(new ByteReader(buffer, start + 1, end), changes)
        return null
      case TYPE: {
        const type = readTypeMessage(buffer, start, end)
        this.#types.set(type.oid, type)
        return null
      }
      case ORIGIN:
        readOriginMessage(buffer, start, end)
        return null
      case STREAM_ABORT:
        // PostgreSQL 18 sends it in protocol 1, too, where a large transaction with savepoints is rolled back: nothing of it came.
        readStreamAbort(buffer, start, end)
        return null
      case LOGICAL_MESSAGE: {
        this.#message(readLogicalMessage(buffer, start, end), changes.length)
        return null
      }
      default:
        throw new MalformedMessage(`a message of unknown type ${buffer[start]}`)
    }
  }

  /**
   * What follows is of a transaction that came in parts and is committed. What it announces holds for itself alone.
   *
   * @throws MalformedMessage
   */
  begin({ xid, commit, commitTime }: StreamCommit): void {
    const [high, low] = halvesOf(commit)
    this.#begin(xid, high, low, dateOf(commitTime))
    this.#relations.enter()
  }

  /**
   * The transaction is complete.
   *
   * @param arrivals when its last shape of each table had arrived, by object id.
   * @throws MalformedMessage
   */
  commit(end: Lsn, arrivals: ReadonlyMap<number, number>): void {
    this.#relations.leave(arrivals)
    this.#commit(end)
  }

  #readBegin(reader: ByteReader): void {
    const commitHigh = reader.uint32()
    const commitLow = reader.uint32()
    const commitTime = dateOfHalves(reader.int32(), reader.uint32())
    const xid = reader.uint32()
    reader.expectEnd()
    this.#begin(xid, commitHigh, commitLow, commitTime)
  }

  #begin(xid: number, commitHigh: number, commitLow: number, commitTime: Date): void {
    if (this.#arriving !== null) throw new MalformedMessage('a transaction begins within another')
    if (Number.isNaN(commitTime.getTime())) throw new MalformedMessage('a transaction without a time of its commit')
    const idPrefix = this.#inFlight.history.prefixAtHalves(commitHigh, commitLow)
    this.#arriving = {
      transaction: { id: String(xid), commitTime },
      positionPrefix: positionPrefixOfHalves(commitHigh, commitLow, idPrefix),
      idPrefix,
    }
    this.#last = null
    this.#inFlight.begin()
  }

  #readCommit(reader: ByteReader): void {
    // Flags, and the place of the commit record.
    reader.skip(9)
    const end = reader.uint64()
    // Its time.
    reader.skip(8)
    reader.expectEnd()
    this.#commit(end)
  }

  #commit(end: Lsn): void {
    if (this.#arriving === null) throw new MalformedMessage('a transaction ends that has not begun')
    this.#inFlight.commit(end, this.#last?.position ?? null)
    this.#arriving = null
    this.#last = null
  }

  #current(): ArrivingTransaction {
    if (this.#arriving === null) throw new MalformedMessage('a change outside a transaction')
    return this.#arriving
  }

  /** Counts the changes that share one log record. */
  #place(lsnHigh: number, lsnLow: number): void {
    if (lsnLow === this.#lsnLow && lsnHigh === this.#lsnHigh) {
      this.#ordinal += 1
    } else {
      this.#lsnHigh = lsnHigh
      this.#lsnLow = lsnLow
      this.#ordinal = 0
    }
  }

  #row(buffer: Buffer, start: number, end: number, changes: Change[]): void {
    const { relation, columns } = this.#known(tableOfRow(buffer, start, end))
    if (this.#received.buffer !== buffer) this.#received = new ReceivedBytes(buffer)
    this.#add(relation, readRowMessage(this.#received, start, end, columns), 0, changes)
  }

  #truncate(reader: ByteReader, changes: Change[]): void {
    const count = reader.uint32()
    reader.byte()
    const tables: AnnouncedRelation[] = []
    for (let index = 0; index < count; index += 1) tables.push(this.#known(reader.uint32()))
    reader.expectEnd()
    // In the order of their positions.
    for (const { oid, relation } of tables.toSorted((one, other) => one.oid - other.oid)) {
      this.#add(relation, TRUNCATED, oid, changes)
    }
  }

  #add(
    relation: Relation,
    parts: Pick<WalChangeParts, 'kind' | 'new' | 'old'>,
    truncatedOid: number,
    changes: Change[],
  ): void {
    const change = new WalChange({
      kind: parts.kind,
      relation,
      new: parts.new,
      old: parts.old,
      arriving: this.#current(),
      lsnHigh: this.#lsnHigh,
      lsnLow: this.#lsnLow,
      ordinal: this.#ordinal,
      truncatedOid,
    })
    this.#last = change
    changes.push(change)
  }

  #message(received: ReceivedMessage, at: number): void {
    const arriving = received.transactional ? this.#current() : null
    if (this.#onMessage === null) return
    const message = walMessage(received, arriving, this.#inFlight.history)
    if (arriving === null) this.#inFlight.single(received.lsn, message.position)
    else this.#last = message
    this.#onMessage(message, at)
  }

  #known(oid: number): AnnouncedRelation {
    const known = this.#relations.get(oid)
    if (known === undefined) throw new MalformedMessage(`a change of table ${oid}, which was not announced`)
    return known
  }
}
