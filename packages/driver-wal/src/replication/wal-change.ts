import type { Change, Operation, Position, Relation, Transaction } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import type { PgoutputTuple } from '../pgoutput/pgoutput-tuple.ts'
import { hexDigits, lsnDigitsOfHalves } from './lsn.ts'

/** A transaction while its changes arrive. */
export interface ArrivingTransaction {
  readonly transaction: Transaction
  /** What the positions of all its changes begin with. */
  readonly positionPrefix: string
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
  /** For TRUNCATE, whose one log record is for several tables: which. Otherwise 0. */
  readonly truncatedOid: number
  readonly indexInTransaction: number
}

/**
 * One change. `id` and `position` are made when they are asked for: they are texts, and cost more than decoding.
 *
 * The id is the place of the log record, and what tells apart the changes of one record. It does not depend on
 * what else is captured, so the same change has the same id whenever and to whomever it is delivered.
 */
export class WalChange implements Change {
  readonly kind: Operation
  readonly relation: Relation
  readonly new: PgoutputTuple | null
  readonly old: PgoutputTuple | null
  readonly transaction: Transaction
  private readonly parts: WalChangeParts
  private madePosition: Position | null = null

  constructor(parts: WalChangeParts) {
    this.kind = parts.kind
    this.relation = parts.relation
    this.new = parts.new
    this.old = parts.old
    this.transaction = parts.arriving.transaction
    this.parts = parts
  }

  get id(): string {
    const { lsnHigh, lsnLow, ordinal, truncatedOid } = this.parts
    const lsn = lsnDigitsOfHalves(lsnHigh, lsnLow)
    return truncatedOid === 0 ? `${lsn}-${ordinal}` : `${lsn}-t${truncatedOid}`
  }

  get position(): Position {
    const { arriving, indexInTransaction } = this.parts
    this.madePosition ??= position(arriving.positionPrefix + hexDigits(indexInTransaction))
    return this.madePosition
  }

  /** The same change as one of another relation, which has the same columns. */
  ofRelation(relation: Relation): WalChange {
    return new WalChange({ ...this.parts, relation })
  }

  detach(): WalChange {
    return new WalChange({ ...this.parts, new: this.new?.detach() ?? null, old: this.old?.detach() ?? null })
  }
}
