import type { Transaction } from './driver.ts'
import type { Position } from './position.ts'

/** What a program wrote into the stream of changes itself: `pg_logical_emit_message(transactional, prefix, content)`. */
export interface LogicalMessage {
  /** What the writer calls this sort of message. */
  readonly prefix: string
  /** As written. */
  readonly content: Uint8Array
  /** Whether it belongs to its transaction; otherwise it holds at once, and also if that is rolled back. */
  readonly transactional: boolean
  /** The transaction that it belongs to; `null` where it is not transactional. */
  readonly transaction: Transaction | null
  /** The same for the same message whenever it is delivered, and that of no other message or change of the database. */
  readonly id: string
  /** Greater than the position of every change and message before it. */
  readonly position: Position
}

/** A message among the changes of a batch. */
export interface PlacedMessage {
  /** How many of the batch's changes come before it. */
  readonly at: number
  readonly message: LogicalMessage
}
