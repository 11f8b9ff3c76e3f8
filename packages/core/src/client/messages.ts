import type { MessageHandler } from '../client.ts'
import type { LogicalMessage } from '../contract/logical-message.ts'
import { ConditionWatch } from '../delivery/condition-watch.ts'
import type { Delivery, End, HandlerCall } from '../delivery/handler-call.ts'
import { goesOnAfter, handlerCall } from '../delivery/handler-call.ts'
import { runInCall } from '../delivery/inside-handler.ts'
import { invalidOptions } from '../options/check-option-names.ts'
import type { MessageRequest } from '../options/message-request.ts'
import { RowtapError } from '../rowtap-error.ts'

/**
 * Hands logical messages to the client's handlers, one at a time. Until the first handler is there they wait; one for
 * which no handler is left is done.
 */
export class Messages {
  readonly #request: MessageRequest | null
  readonly #handlers = new Set<MessageHandler>()
  readonly #firstHandler = Promise.withResolvers<void>()
  /** The call of the message that is being handled, or waits for the first handler. */
  #current: HandlerCall | null = null
  readonly #watch = new ConditionWatch()
  #isRunning = false
  #isEnded = false
  /** Whose calls they are: nothing is begun in them but what {@link handle} begins. */
  readonly #delivery: Delivery = { begin: () => false, callWaits: () => this.#watch.changed() }

  /** @param request `null`: the client does not ask for messages. */
  constructor(request: MessageRequest | null) {
    this.#request = request
  }

  /**
   * Adds a handler. Returns the function that removes it.
   *
   * @throws RowtapError ERR_INVALID_OPTIONS where the client does not ask for messages.
   */
  on(handler: MessageHandler): () => void {
    if (this.#request === null) {
      throw invalidOptions(
        `on('message') is for clients that ask for messages: connect(driver, { messages: true }), or { messages: { prefixes: ['…'] } } for some of them.`,
      )
    }
    if (typeof handler !== 'function') throw invalidOptions(`on('message') takes a function.`)
    // A wrapper gives each registration an identity, so that removing one leaves its twin.
    const registered: MessageHandler = (message) => handler(message)
    this.#handlers.add(registered)
    this.#firstHandler.resolve()
    return () => {
      this.#handlers.delete(registered)
    }
  }

  /** Whether there is a handler. */
  get isHandled(): boolean {
    return this.#handlers.size > 0
  }

  /** Adds a handler that was given as an option, if one was. */
  addGiven(handler: unknown): void {
    if (handler !== undefined) this.on(handler as MessageHandler)
  }

  /**
   * Hands a message to the handlers, and resolves when they are done; `null` where nobody asked for it.
   *
   * It rejects with the ERR_HANDLER of a handler that failed.
   */
  handle(message: LogicalMessage): Promise<void> | null {
    if (this.#request === null) return null
    const { prefixes } = this.#request
    if (prefixes !== null && !prefixes.has(message.prefix)) return null
    const call = handlerCall(this.#delivery)
    this.#current = call
    return this.#firstHandler.promise
      .then(async () => {
        if (this.#isEnded) return
        this.#isRunning = true
        await runInCall(call, () => this.#call(message))
      })
      .finally(() => {
        call.delivery = null
        this.#current = null
        this.#isRunning = false
        this.#watch.changed()
      })
  }

  /** The call of the handlers that run. */
  get calls(): readonly HandlerCall[] {
    return this.#current === null || !this.#isRunning ? [] : [this.#current]
  }

  /** Resolves when no handler runs any more but one that goes on only after this end. */
  async drain(end: End): Promise<void> {
    await this.#watch.until(() => this.calls.every((call) => goesOnAfter(call, end)))
  }

  /** Hands over nothing any more. */
  end(): void {
    this.#isEnded = true
  }

  async #call(message: LogicalMessage): Promise<void> {
    try {
      // Those that are there now.
      const handlers = [...this.#handlers]
      for (const handler of handlers) await handler(message)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new RowtapError('ERR_HANDLER', {
        message: `A handler for messages failed on message ${message.id} (${JSON.stringify(message.prefix)}): ${reason}`,
        cause: error,
        eventId: message.id,
      })
    }
  }
}
