import type { Projection } from '../dispatch/projection.ts'
import type { RoutedChange } from '../dispatch/routed-change.ts'
import type { Transition } from '../dispatch/transition-of.ts'

/** A change on its way to one listener, and what was found out that it is for it. */
export interface QueuedChange {
  readonly routed: RoutedChange
  readonly projection: Projection
  readonly transition: Transition
  /** The change that waits behind it. */
  next: QueuedChange | null
  /** Called when it waits no longer, before it becomes events; left out: nobody needs to know. */
  taken?(): void
}
