import type { Capabilities } from '../capabilities/capabilities.ts'
import type { Client, Listener } from '../client.ts'
import type { DeliveredEvent, Row, ListenerMode } from '../event.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import type { RowtapError } from '../rowtap-error.ts'
import type { AcknowledgementEntry } from './acknowledgement-tracker.ts'
import type { DeliveryTimes } from '../metrics/delivery-times.ts'

/** A listener as its owner knows it. */
export interface OwnedListener extends Listener<Row, Capabilities, 'auto', ListenerMode> {
  readonly request: ListenRequest
}

/** What a listener tells the client that it belongs to. */
export interface ListenerOwner {
  /** The client that its user has, where there is one. */
  readonly client: Client | null
  /** How long deliveries take, of all listeners; `null` while there is no connection. */
  readonly times: DeliveryTimes | null
  /** Whether what is not acknowledged comes again after a restart. */
  readonly isDurable: boolean
  /** One change is done with. */
  readonly done: (entry: AcknowledgementEntry) => void
  /** There is room again in the listener's buffer. */
  readonly roomMade: () => void
  /** Something went wrong while an event was delivered: the client ends. */
  failed(error: unknown): void
  /** An event was given up after its handler failed for good, as the listener asked for. */
  passedOver(listener: OwnedListener, event: DeliveredEvent, error: RowtapError, how: 'skip' | 'dead letter'): void
}
