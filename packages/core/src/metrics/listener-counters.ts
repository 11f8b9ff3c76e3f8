import type { TableCounters } from './table-counters.ts'

/** What a listener has counted since it was made. What it counts is counted for its table, too. */
export class ListenerCounters {
  /** Changes that became events for it. */
  wanted = 0
  /** Events whose handlers, or loop, are done with them, or for whose kind there is no handler. */
  delivered = 0
  /** Events whose handlers failed for good. */
  failed = 0
  /** Those of them that count as done all the same. */
  passedOver = 0
  /** How long handlers, or the loop, took for what was delivered or has failed, retries included, in milliseconds. */
  handlerMs = 0
  /** Calls of a handler after one that failed. */
  retried = 0
  /** Changes that were given up, because it was stopped so, or ended where nothing comes again. */
  discarded = 0
  /** Changes that it has left, and that keep the client from acknowledging what is after them. */
  left = 0
  /** How many changes it had received when it was detached; `null` while it is attached. */
  #received: number | null = 0
  /** There from when it is attached: a handler may be done after its listener is detached. */
  #table: TableCounters | null = null
  /** How many changes of the table had come before it. */
  #start = 0

  /** Changes of the listener's table since it was attached. */
  get received(): number {
    return this.#received ?? (this.#table?.changes ?? 0) - this.#start
  }

  /**
   * Those of them that it did not want: another operation, no column of its own changed, its condition is not true,
   * or committed before it was live.
   */
  get filtered(): number {
    return this.received - this.wanted
  }

  /** The listener is attached: changes of its table count from now on. */
  begin(table: TableCounters): void {
    this.#table = table
    this.#start = table.changes
    this.#received = null
    table.add()
  }

  /** The listener is detached, if it was attached: what it has received stays as it is. */
  end(): void {
    if (this.#received !== null) return
    this.#received = this.received
    this.#table?.remove()
  }

  countWanted(): void {
    this.wanted += 1
    if (this.#table !== null) this.#table.wanted += 1
  }

  countDelivered(milliseconds: number): void {
    this.delivered += 1
    this.handlerMs += milliseconds
    if (this.#table === null) return
    this.#table.delivered += 1
    this.#table.handlerMs += milliseconds
  }

  countFailed(isPassedOver: boolean, milliseconds: number): void {
    const passedOver = isPassedOver ? 1 : 0
    this.failed += 1
    this.passedOver += passedOver
    this.handlerMs += milliseconds
    if (this.#table === null) return
    this.#table.failed += 1
    this.#table.passedOver += passedOver
    this.#table.handlerMs += milliseconds
  }

  countRetried(): void {
    this.retried += 1
    if (this.#table !== null) this.#table.retried += 1
  }

  countDiscarded(changes: number): void {
    this.discarded += changes
    if (this.#table !== null) this.#table.discarded += changes
  }

  setLeft(changes: number): void {
    if (this.#table !== null) this.#table.left += changes - this.left
    this.left = changes
  }
}
