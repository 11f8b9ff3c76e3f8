import type { EventHandler } from '../client.ts'
import type { DeliveredEvent, EventKind } from '../event.ts'

/** One call of `on`: the same function may be added more than once. */
interface Registration {
  readonly kind: EventKind | 'change'
  readonly handler: EventHandler<DeliveredEvent>
}

const NONE: readonly never[] = []

/** The handlers of one listener, in the order in which they were added. */
export class EventHandlers {
  #all: readonly Registration[] = NONE
  /** What to call for the kind that was asked for last: most listeners see one kind after the other of the same. */
  #kind: EventKind | null = null
  #called: readonly EventHandler<DeliveredEvent>[] = NONE

  /** Adds a handler. Returns the function that removes it. */
  add(kind: EventKind | 'change', handler: EventHandler<DeliveredEvent>): () => void {
    const registration: Registration = { kind, handler }
    this.#set([...this.#all, registration])
    return () => this.#set(this.#all.filter((other) => other !== registration))
  }

  /** The handlers to call for an event of this kind, one after the other: those for it, then those for every kind. */
  of(kind: EventKind): readonly EventHandler<DeliveredEvent>[] {
    if (this.#kind !== kind) {
      this.#called = [...this.#handlersFor(kind), ...this.#handlersFor('change')]
      this.#kind = kind
    }
    return this.#called
  }

  #handlersFor(kind: EventKind | 'change'): EventHandler<DeliveredEvent>[] {
    return this.#all.flatMap((registration) => (registration.kind === kind ? [registration.handler] : []))
  }

  #set(all: readonly Registration[]): void {
    this.#all = all
    this.#kind = null
  }
}
