import type { Change, Operation, Position, Relation, Transaction } from '@rowtap/core/driver'
import type { CompositeTuple } from '../row/composite-tuple.ts'

/** A change as it was captured. Its rows are parts of a block's text, and keep that until it is detached. */
export class CapturedChange implements Change {
  readonly kind: Operation
  readonly relation: Relation
  readonly new: CompositeTuple | null
  readonly old: CompositeTuple | null
  readonly transaction: Transaction
  readonly id: string
  readonly position: Position

  constructor(
    what: Pick<Change, 'kind' | 'relation'>,
    rows: { readonly new: CompositeTuple | null; readonly old: CompositeTuple | null },
    place: Pick<Change, 'transaction' | 'id' | 'position'>,
  ) {
    this.kind = what.kind
    this.relation = what.relation
    this.new = rows.new
    this.old = rows.old
    this.transaction = place.transaction
    this.id = place.id
    this.position = place.position
  }

  detach(): Change {
    return new CapturedChange(this, { new: this.new?.detach() ?? null, old: this.old?.detach() ?? null }, this)
  }
}
