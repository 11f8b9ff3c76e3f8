import type { TableName } from '../contract/table-name.ts'

/** What all listeners of one table have counted together: those that are gone are still in it, so that it only grows. */
export class TableCounters {
  readonly table: TableName
  /** Changes of the table that came while it had a listener. */
  changes = 0
  /** How many listeners are attached. */
  listeners = 0
  wanted = 0
  delivered = 0
  failed = 0
  passedOver = 0
  retried = 0
  discarded = 0
  /** Unlike the others it shrinks, too. */
  left = 0
  handlerMs = 0
  /** What the listeners that are gone have received, less what had come before each of the others. */
  #receivedBefore = 0

  constructor(table: TableName) {
    this.table = table
  }

  /** Changes, once for each listener that was attached when they came. Kept without a count for each. */
  get received(): number {
    return this.#receivedBefore + this.listeners * this.changes
  }

  /** Those of them that the listener did not want. */
  get filtered(): number {
    return this.received - this.wanted
  }

  /** A listener is attached: what comes from now on counts for it, too. */
  add(): void {
    this.listeners += 1
    this.#receivedBefore -= this.changes
  }

  /** A listener is detached: what it has received stays counted. */
  remove(): void {
    this.listeners -= 1
    this.#receivedBefore += this.changes
  }
}
