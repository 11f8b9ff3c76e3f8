import type { Position, Transaction } from '@rowtap/core/driver'
import type { NestedTransaction } from './nested-transaction.ts'
import type { QueuedRow } from './queued-row.ts'

/** What is known of a transaction with changes in a tick. */
export interface QueuedTransactionParts {
  readonly id: string
  /** When it committed, as PostgreSQL prints it; `null` where the server does not tell. */
  readonly commitTime: string | null
  /** The highest sequence number of what it wrote. */
  readonly highest: number
  /** How many rows of the queue it wrote. */
  readonly size: number
  /** Its rows of the queue, in order; `null` where they are still to be read. */
  readonly rows: readonly QueuedRow[] | null
  /** Whether a row trigger may have captured a change before one that it follows. */
  readonly late: boolean
  /** Whether statement triggers wrote more than one row of the queue. */
  readonly several: boolean
}

/** A transaction with changes in a tick, and how far it has been read and delivered. */
export class QueuedTransaction {
  readonly transaction: Transaction
  readonly highest: number
  readonly late: boolean
  /** Its rows of the queue, in order; `null` where they are still to be read. */
  rows: readonly QueuedRow[] | null
  /** How many of its rows of the queue have not been read. */
  remaining: number
  /** The sequence number of the last one that was read. */
  above = 0
  /** Whether one of its statements wrote rows before another one that ended earlier; `null`: not known yet. */
  nested: boolean | null
  /** Where it is nested, what is to be read of it, while it is being read. */
  order: NestedTransaction | null = null
  /** The sequence numbers above `above` of changes that have been delivered; `null`: of none. */
  moved: Set<number> | null = null
  #positions: (() => Position) | null = null

  constructor({ id, commitTime, highest, size, rows, late, several }: QueuedTransactionParts) {
    this.transaction = { id, commitTime: commitTime === null ? null : commitDate(commitTime) }
    this.highest = highest
    this.remaining = size
    this.late = late
    this.nested = several ? null : false
    // What has to come before a change may be elsewhere in the queue.
    this.rows = late ? null : rows
  }

  /** The place of its next change, among those that became visible in a snapshot. */
  nextPosition(positionsOf: (highest: number) => () => Position): Position {
    this.#positions ??= positionsOf(this.highest)
    return this.#positions()
  }
}

/** The session's TimeZone is UTC and its DateStyle ISO: `2026-01-02 03:04:05.678901+00`. */
function commitDate(text: string): Date {
  return new Date(
    text
      .replace(' ', 'T')
      .replace(/(\.\d{3})\d*/u, '$1')
      .replace(/\+00$/u, 'Z'),
  )
}
