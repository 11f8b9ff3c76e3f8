import type { DeliveredEvent } from '../event.ts'
import type { QueuedChange } from './queued-change.ts'

/** A change that was taken out of a listener's buffer, as the events that it is for this listener. */
export interface TakenChange {
  readonly item: QueuedChange
  readonly events: readonly DeliveredEvent[]
  /** How many of the events are not done. The change is done with the last of them. */
  pending: number
  /** Whether one of the events will be with no handler, because the end came. */
  isGivenUp: boolean
  /** Where somebody acknowledges them: the events that are done, each of which counts once. */
  readonly acknowledged: Set<DeliveredEvent> | null
}

/** Where a delivery takes changes from. */
export interface DeliverySource {
  /** The next change that is an event for this listener, or `null` where none waits now. */
  take(): TakenChange | null
}
