import type { DeliveredEvent } from '../event.ts'
import type { KeyedTask } from './key-order.ts'
import type { TakenChange } from './taken-change.ts'

/** An event that waits for its turn among others. */
export interface EventTask extends KeyedTask {
  readonly event: DeliveredEvent
  readonly taken: TakenChange
}
