import type { Change, Transaction } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { Relation, Tuple } from '../contract/relation.ts'
import type { KeyTexts } from '../contract/snapshot-source.ts'

/** Stands for the transaction of a row that was read, and not changed: nobody is told. */
const NO_TRANSACTION: Transaction = { id: '', commitTime: null }

/** A row that was read, on the way that changes take. */
export class SnapshotRow implements Change {
  readonly kind = 'insert'
  readonly relation: Relation
  readonly new: Tuple
  readonly old = null
  readonly transaction: Transaction = NO_TRANSACTION
  readonly position: Position
  readonly #key: KeyTexts
  readonly #reading: string

  /** @param reading no other reading has the same: between two at one position the table may have been emptied. */
  constructor(relation: Relation, tuple: Tuple, key: KeyTexts, position: Position, reading: string) {
    this.relation = relation
    this.new = tuple
    this.#key = key
    this.position = position
    this.#reading = reading
  }

  /** The same for the same row of the same reading. */
  get id(): string {
    const { schema, name } = this.relation
    return `${this.position}/${this.#reading}/${JSON.stringify([schema, name, ...this.#key])}`
  }
}
