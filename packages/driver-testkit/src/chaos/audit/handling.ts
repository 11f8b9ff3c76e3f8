import type { HandledEvent } from '../handled-event.ts'

/** One handling of an event. What is delivered again is handled again. */
export interface Handling {
  readonly event: HandledEvent
  /** How many handlings were before it, in all lives. */
  readonly order: number
}

/** What one process handled of one subscription, in order. */
export interface Life {
  readonly name: string
  readonly handlings: readonly Handling[]
}

/** What the source took for handled at a moment. */
export interface AcknowledgedSample {
  /** Every change with a smaller position was acknowledged. */
  readonly acknowledged: string
  /** How many handlings were known right after that. */
  readonly handlings: number
}
