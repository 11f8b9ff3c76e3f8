import type { Change, Relation } from '@rowtap/core/driver'
import { ByteReader } from '../pgoutput/byte-reader.ts'
import { MalformedMessage } from '../pgoutput/malformed-message.ts'
import { PgoutputTuple, skipTuple } from '../pgoutput/pgoutput-tuple.ts'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import { readRelationMessage } from '../pgoutput/relation-message.ts'
import type { InFlight } from './in-flight.ts'
import { dateOf } from './standby-status.ts'
import type { ArrivingTransaction, WalChangeParts } from './wal-change.ts'
import { WalChange } from './wal-change.ts'
import { positionPrefix } from './wal-position.ts'

const BEGIN = 0x42 // 'B'
const COMMIT = 0x43 // 'C'
const DELETE = 0x44 // 'D'
const INSERT = 0x49 // 'I'
const KEY_ROW = 0x4b // 'K'
const LOGICAL_MESSAGE = 0x4d // 'M'
const NEW_ROW = 0x4e // 'N'
const ORIGIN = 0x4f // 'O'
const OLD_ROW = 0x4f // 'O'
const RELATION = 0x52 // 'R'
const TRUNCATE = 0x54 // 'T'
const UPDATE = 0x55 // 'U'
const TYPE = 0x59 // 'Y'

interface KnownRelation {
  readonly oid: number
  readonly relation: Relation
  readonly columns: number
}

/**
 * Turns messages of pgoutput's protocol 1 into changes. A transaction arrives whole and after its commit:
 *
 * ```
 * outside ──Begin──▶ in a transaction ──Insert, Update, Delete, Truncate──▶ …
 *    ▲                      │
 *    └───────Commit─────────┘      Relation: before the first change of each shape
 * ```
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export class ChangeDecoder {
  readonly #inFlight: InFlight
  readonly #relations = new Map<number, KnownRelation>()
  #arriving: ArrivingTransaction | null = null
  #indexInTransaction = 0
  #last: Change | null = null
  #lsnHigh = 0
  #lsnLow = 0
  #ordinal = 0

  constructor(inFlight: InFlight) {
    this.#inFlight = inFlight
  }

  /** The xid of the transaction that is arriving; `null` between two of them. */
  get transaction(): string | null {
    return this.#arriving?.transaction.id ?? null
  }

  /** From now on changes of the table are of this relation. */
  define(message: RelationMessage, relation: Relation): void {
    this.#relations.set(message.oid, { oid: message.oid, relation, columns: message.columns.length })
  }

  /** From now on changes are of these relations, each of the same shape as the one before. */
  redefine(current: (relation: Relation) => Relation): void {
    for (const [oid, known] of this.#relations) {
      const relation = current(known.relation)
      if (relation !== known.relation) this.#relations.set(oid, { ...known, relation })
    }
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
        this.#begin(new ByteReader(buffer, start + 1, end))
        return null
      case COMMIT:
        this.#commit(new ByteReader(buffer, start + 1, end))
        return null
      case RELATION:
        return readRelationMessage(buffer, start, end)
      case TRUNCATE:
        this.#place(lsnHigh, lsnLow)
        this.#truncate(new ByteReader(buffer, start + 1, end), changes)
        return null
      case ORIGIN:
      case TYPE:
      case LOGICAL_MESSAGE:
        return null
      default:
        throw new MalformedMessage(`a message of unknown type ${buffer[start]}`)
    }
  }

  #begin(reader: ByteReader): void {
    if (this.#arriving !== null) throw new MalformedMessage('a transaction begins within another')
    const commit = reader.uint64()
    const commitTime = dateOf(reader.int64())
    const id = String(reader.uint32())
    reader.expectEnd()
    this.#arriving = { transaction: { id, commitTime }, positionPrefix: positionPrefix(commit) }
    this.#indexInTransaction = 0
    this.#last = null
    this.#inFlight.begin()
  }

  #commit(reader: ByteReader): void {
    if (this.#arriving === null) throw new MalformedMessage('a transaction ends that has not begun')
    reader.byte()
    reader.uint64()
    const end = reader.uint64()
    reader.int64()
    reader.expectEnd()
    this.#inFlight.commit(end, this.#last?.position ?? null)
    this.#arriving = null
    this.#last = null
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
    if (start + 6 > end) throw new MalformedMessage('the message ends before its row')
    const known = this.#known(buffer.readUInt32BE(start + 1))
    const { relation, columns } = known
    const first = buffer[start + 5]
    const behind = skipTuple(buffer, start + 6, end, columns)
    const row = new PgoutputTuple(buffer, start + 6, first === KEY_ROW)
    if (buffer[start] === INSERT) {
      if (first !== NEW_ROW || behind !== end) throw new MalformedMessage('an insert that is not one new row')
      this.#add({ kind: 'insert', relation, new: row, old: null }, 0, changes)
      return
    }
    const isOld = first === KEY_ROW || first === OLD_ROW
    if (buffer[start] === DELETE) {
      if (!isOld || behind !== end) throw new MalformedMessage('a delete that is not one old row')
      this.#add({ kind: 'delete', relation, new: null, old: row }, 0, changes)
      return
    }
    if (first === NEW_ROW && behind === end) {
      this.#add({ kind: 'update', relation, new: row, old: null }, 0, changes)
      return
    }
    if (!isOld || buffer[behind] !== NEW_ROW || skipTuple(buffer, behind + 1, end, columns) !== end) {
      throw new MalformedMessage('an update that is not an old row and a new one')
    }
    this.#add({ kind: 'update', relation, new: new PgoutputTuple(buffer, behind + 1, false), old: row }, 0, changes)
  }

  #truncate(reader: ByteReader, changes: Change[]): void {
    const count = reader.uint32()
    reader.byte()
    for (let index = 0; index < count; index += 1) {
      const { oid, relation } = this.#known(reader.uint32())
      this.#add({ kind: 'truncate', relation, new: null, old: null }, oid, changes)
    }
    reader.expectEnd()
  }

  #add(
    parts: Pick<WalChangeParts, 'kind' | 'relation' | 'new' | 'old'>,
    truncatedOid: number,
    changes: Change[],
  ): void {
    if (this.#arriving === null) throw new MalformedMessage('a change outside a transaction')
    const change = new WalChange({
      kind: parts.kind,
      relation: parts.relation,
      new: parts.new,
      old: parts.old,
      arriving: this.#arriving,
      lsnHigh: this.#lsnHigh,
      lsnLow: this.#lsnLow,
      ordinal: this.#ordinal,
      truncatedOid,
      indexInTransaction: this.#indexInTransaction,
    })
    this.#indexInTransaction += 1
    this.#last = change
    changes.push(change)
  }

  #known(oid: number): KnownRelation {
    const known = this.#relations.get(oid)
    if (known === undefined) throw new MalformedMessage(`a change of table ${oid}, which was not announced`)
    return known
  }
}
