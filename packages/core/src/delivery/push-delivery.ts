import type { ChangeEvent, EventKind } from '../event.ts'
import type { EventHandler } from '../client.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { TableName } from '../contract/table-name.ts'
import { RowtapError } from '../rowtap-error.ts'

/** The handlers of one listener, and the calling of them. */
export class EventHandlers {
  readonly #byKind = new Map<EventKind | 'change', readonly EventHandler<ChangeEvent>[]>()
  readonly #table: TableName

  constructor(table: TableName) {
    this.#table = table
  }

  /** Adds a handler; the same function may be added more than once. Returns the function that removes it. */
  add(kind: EventKind | 'change', handler: EventHandler<ChangeEvent>): () => void {
    // A wrapper gives each registration an identity, so that removing one leaves its twin.
    const registered: EventHandler<ChangeEvent> = (event) => handler(event)
    this.#byKind.set(kind, [...(this.#byKind.get(kind) ?? []), registered])
    return () => {
      this.#byKind.set(
        kind,
        (this.#byKind.get(kind) ?? []).filter((other) => other !== registered),
      )
    }
  }

  /**
   * Calls the handlers of an event one after the other, and waits for each that returns a promise.
   *
   * @returns a promise only if there is something to wait for: an await for each event would cost more than the event.
   * @throws RowtapError ERR_HANDLER with the handler's error as its cause.
   */
  handle(event: ChangeEvent): Promise<void> | undefined {
    const handlers = [...(this.#byKind.get(event.kind) ?? []), ...(this.#byKind.get('change') ?? [])]
    for (const [index, handler] of handlers.entries()) {
      const returned = this.#call(handler, event)
      if (isPromiseLike(returned)) return this.#rest(returned, handlers.slice(index + 1), event)
    }
    return undefined
  }

  async #rest(
    first: PromiseLike<void>,
    others: readonly EventHandler<ChangeEvent>[],
    event: ChangeEvent,
  ): Promise<void> {
    try {
      await first
    } catch (cause) {
      throw this.#failed(event, cause)
    }
    for (const handler of others) {
      const returned = this.#call(handler, event)
      try {
        await returned
      } catch (cause) {
        throw this.#failed(event, cause)
      }
    }
  }

  #call(handler: EventHandler<ChangeEvent>, event: ChangeEvent): unknown {
    try {
      return handler(event)
    } catch (cause) {
      throw this.#failed(event, cause)
    }
  }

  #failed(event: ChangeEvent, cause: unknown): RowtapError {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new RowtapError('ERR_HANDLER', {
      message: `A handler for ${formatTableName(this.#table)} failed on ${event.kind} ${event.id}: ${reason}`,
      cause,
      eventId: event.id,
    })
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<void> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
