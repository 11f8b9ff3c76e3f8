import type { Position } from '@rowtap/core/driver'
import type { Lsn } from './lsn.ts'
import { ZERO_LSN } from './lsn.ts'
import { TimelineHistory } from './timeline-history.ts'

interface Delivered {
  readonly last: Position
  readonly end: Lsn
}

/** Knows how far the server may let go of the log: the end of the last transaction before which all is handled. */
export class InFlight {
  /** Whose log it is. */
  readonly history: TimelineHistory
  /** Transactions that were delivered completely and are not acknowledged. */
  #delivered: Delivered[] = []
  #head = 0
  #inTransaction = false
  #acknowledged: Position | null = null
  #received: Lsn
  #flushed: Lsn

  /**
   * @param start where the stream begins: everything before is handled.
   * @param history whose log it is. Left out: that of a server which never took over from another one.
   */
  constructor(start: Lsn = ZERO_LSN, history: TimelineHistory = TimelineHistory.first) {
    this.#received = start
    this.#flushed = start
    this.history = history
  }

  /** The furthest place that the server has sent. */
  get received(): Lsn {
    return this.#received
  }

  /** Everything before this place is handled. */
  get flushed(): Lsn {
    return this.#flushed
  }

  /** Whether a transaction has arrived in part. */
  get isInTransaction(): boolean {
    return this.#inTransaction
  }

  /** A transaction's first message has arrived. */
  begin(): void {
    this.#inTransaction = true
  }

  /** A transaction has arrived completely. `last` is the position of its last change, `null` where it has none. */
  commit(end: Lsn, last: Position | null): void {
    this.#inTransaction = false
    if (end > this.#received) this.#received = end
    if (last !== null) this.#deliver(last, end)
    this.#letGo()
  }

  /** Something has arrived that belongs to no transaction. `end` is the end of its log record. */
  single(end: Lsn, position: Position): void {
    if (end > this.#received) this.#received = end
    this.#deliver(position, end)
    this.#letGo()
  }

  /** The server has looked at the log up to this place, and has nothing else to send from there. */
  keepalive(end: Lsn): void {
    if (end > this.#received) this.#received = end
    this.#letGo()
  }

  /** Everything up to this change is handled. */
  acknowledge(position: Position): void {
    if (this.#acknowledged !== null && position <= this.#acknowledged) return
    this.#acknowledged = position
    for (
      let first = this.#delivered[this.#head];
      first !== undefined && first.last <= position;
      first = this.#delivered[this.#head]
    ) {
      this.#flushed = first.end
      this.#head += 1
    }
    if (this.#head > 1024 && this.#head * 2 > this.#delivered.length) {
      this.#delivered.splice(0, this.#head)
      this.#head = 0
    }
    this.#letGo()
  }

  #deliver(last: Position, end: Lsn): void {
    if (this.#acknowledged === null || last > this.#acknowledged) this.#delivered.push({ last, end })
  }

  /** With nothing in flight, what was received is handled: an idle slot must not keep the log. */
  #letGo(): void {
    if (this.#inTransaction || this.#head < this.#delivered.length) return
    this.#delivered = []
    this.#head = 0
    if (this.#received > this.#flushed) this.#flushed = this.#received
  }
}
