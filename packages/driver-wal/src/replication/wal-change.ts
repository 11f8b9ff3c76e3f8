import type { Change, Operation, Position, Relation, Transaction } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import type { PgoutputTuple } from '../pgoutput/pgoutput-tuple.ts'
import { hexDigits, lastByteAnd, lsnDigitsOfHalves } from './lsn.ts'

const FIRST_ID = lastByteAnd('-0')
const FIRST_POSITION = lastByteAnd('-00000000')

/** A transaction while its changes arrive. */
export interface ArrivingTransaction {
  readonly transaction: Transaction
  /** What the positions of all its changes begin with. */
  readonly positionPrefix: string
  /** What their ids begin with. */
  readonly idPrefix: string
}

/** What a change is made of. */
export interface WalChangeParts {
  readonly kind: Operation
  readonly relation: Relation
  readonly new: PgoutputTuple | null
  readonly old: PgoutputTuple | null
  readonly arriving: ArrivingTransaction
  /** The two halves of the place of the change's own log record. */
  readonly lsnHigh: number
  readonly lsnLow: number
  /** Which of the rows that share one log record: `COPY` writes many in one. */
  readonly ordinal: number
  /** For TRUNCATE, whose one log record is for several tables, in the order of this: which. Otherwise 0. */
  readonly truncatedOid: number
}

/**
 * One change. `id` and `position` are made when they are asked for: they are texts, and cost more than decoding.
 *
 * The id is the place of the log record, and what tells apart the changes of one record. It does not depend on
 * what else is captured, so the same change has the same id whenever and to whomever it is delivered. Where a standby has
 * become the primary, the timeline is before it: the former primary may have had another change at that place.
 */
export class WalChange implements Change {
  readonly kind: Operation
  readonly relation: Relation
  readonly new: PgoutputTuple | null
  readonly old: PgoutputTuple | null
  readonly transaction: Transaction
  private readonly arriving: ArrivingTransaction
  private readonly lsnHigh: number
  private readonly lsnLow: number
  private readonly ordinal: number
  private readonly truncatedOid: number
  private madePosition: Position | null = null

  /** Takes its parts one by one: what is made for each row is to be one object, and not two. */
  constructor(parts: WalChangeParts) {
    this.kind = parts.kind
    this.relation = parts.relation
    this.new = parts.new
    this.old = parts.old
    this.transaction = parts.arriving.transaction
    this.arriving = parts.arriving
    this.lsnHigh = parts.lsnHigh
    this.lsnLow = parts.lsnLow
    this.ordinal = parts.ordinal
    this.truncatedOid = parts.truncatedOid
  }

  get id(): string {
    const { idPrefix } = this.arriving
    if (this.isFirst) return idPrefix + lsnDigitsOfHalves(this.lsnHigh, this.lsnLow, FIRST_ID)
    const lsn = idPrefix + lsnDigitsOfHalves(this.lsnHigh, this.lsnLow)
    return this.truncatedOid === 0 ? `${lsn}-${this.ordinal}` : `${lsn}-t${this.truncatedOid}`
  }

  get position(): Position {
    this.madePosition ??= this.makePosition()
    return this.madePosition
  }

  private makePosition(): Position {
    const { positionPrefix } = this.arriving
    if (this.isFirst) return position(positionPrefix + lsnDigitsOfHalves(this.lsnHigh, this.lsnLow, FIRST_POSITION))
    const place = positionPrefix + lsnDigitsOfHalves(this.lsnHigh, this.lsnLow)
    return position(`${place}-${hexDigits(this.truncatedOid === 0 ? this.ordinal : this.truncatedOid)}`)
  }

  /** Nearly every change has a record of its own. */
  private get isFirst(): boolean {
    return this.ordinal === 0 && this.truncatedOid === 0
  }

  /** The same change as one of another relation, which has the same columns. */
  ofRelation(relation: Relation): WalChange {
    return this.with(relation, this.new, this.old)
  }

  detach(): WalChange {
    return this.with(this.relation, this.new?.detach() ?? null, this.old?.detach() ?? null)
  }

  private with(relation: Relation, after: PgoutputTuple | null, before: PgoutputTuple | null): WalChange {
    return new WalChange({
      kind: this.kind,
      relation,
      new: after,
      old: before,
      arriving: this.arriving,
      lsnHigh: this.lsnHigh,
      lsnLow: this.lsnLow,
      ordinal: this.ordinal,
      truncatedOid: this.truncatedOid,
    })
  }
}
