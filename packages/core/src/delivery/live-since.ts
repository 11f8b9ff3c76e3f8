import type { Change, Transaction } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'

/** From where on a listener is given changes. */
export class LiveSince {
  /** Changes up to here were committed before the listener was live. */
  readonly #from: Position
  /** The transaction that was being delivered when the listener became live: it belongs to the time before. */
  readonly #skipped: Transaction | null

  constructor(from: Position, inProgress: Transaction | null) {
    this.#from = from
    this.#skipped = inProgress
  }

  /** Whether a change is the listener's: then all that come after it are, too, because positions only grow. */
  isBefore({ position, transaction }: Pick<Change, 'position' | 'transaction'>): boolean {
    return position > this.#from && transaction !== this.#skipped
  }
}
