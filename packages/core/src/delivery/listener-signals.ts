import type { Operation } from '../capabilities/capabilities.ts'
import type { Change, Transaction } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { Projection } from '../dispatch/projection.ts'
import { NO_COLUMNS } from '../dispatch/projection.ts'
import { RoutedChange } from '../dispatch/routed-change.ts'
import type { AcknowledgementEntry } from './acknowledgement-tracker.ts'
import type { QueuedChange } from './queued-change.ts'

/** About how much memory a signal takes: where nobody acknowledges them, the reading pauses in the end. */
const SIGNAL_BYTES = 256

/**
 * Makes signals of the changes of one listener's table. At most one waits for each operation; a change that comes while one
 * does is what that one stands for, too, and is done when it is: so whatever is written, and however long handlers take,
 * nothing more is kept, and the last change has a signal that is handed over after it.
 *
 * A transaction's first change of an operation stands for its others: they were committed together, and are there to be
 * read together.
 */
export class ListenerSignals {
  readonly #waiting = new Map<Operation, QueuedChange>()
  /** The last transaction of which there was a signal. */
  readonly #told = new Map<Operation, Transaction>()
  /** How far the changes are that signals have stood for, of whichever operation. */
  #reached: Position | null = null

  /**
   * Takes note of a change.
   *
   * @param entry what it is acknowledged with.
   * @returns the signal that waits from now on; `null`: one that waits stands for the change, or its transaction has had one.
   */
  add(change: Change, entry: AcknowledgementEntry): QueuedChange | null {
    const { kind, transaction } = change
    if (this.#told.get(kind) === transaction) return null
    this.#told.set(kind, transaction)
    const signal = withoutRows(change)
    this.#reached = signal.position
    const waiting = this.#waiting.get(kind)
    if (waiting !== undefined) {
      // Its entry stays that of the first change, before which nothing is done: what comes after is not acknowledged either.
      waiting.routed.change = signal
      return null
    }
    const made = new WaitingSignal(new RoutedChange(signal, entry, SIGNAL_BYTES), (routed) => this.#taken(routed))
    this.#waiting.set(kind, made)
    return made
  }

  /** What comes from now on is of another signal. Signals are taken in the order of the first change that each stands for. */
  #taken(routed: RoutedChange): void {
    this.#waiting.delete(routed.change.kind)
    // Whatever came up to here is what it stands for, as far as it is of its operation: positions never go back.
    routed.change = { ...routed.change, position: this.#reached ?? routed.change.position }
  }
}

/** A signal in its listener's buffer. */
class WaitingSignal implements QueuedChange {
  readonly routed: RoutedChange
  readonly projection: Projection = NO_COLUMNS
  readonly transition = 'signal'
  next: QueuedChange | null = null
  readonly #taken: (routed: RoutedChange) => void

  constructor(routed: RoutedChange, taken: (routed: RoutedChange) => void) {
    this.routed = routed
    this.#taken = taken
  }

  taken(): void {
    this.#taken(this.routed)
  }
}

/** What is told of a change, in memory of its own. */
function withoutRows({ kind, relation, transaction, id, position }: Change): Change {
  return { kind, relation, new: null, old: null, withoutRows: true, transaction, id, position }
}
