import type { EventHandler } from '../client.ts'
import type { DeliveredEvent } from '../event.ts'
import type { EventReceiver } from './conclude-failure.ts'
import { concludeFailure } from './conclude-failure.ts'
import type { PendingHandler } from './event-call.ts'
import { callHandlers, retryHandler } from './event-call.ts'
import type { EventTask } from './event-task.ts'
import type { HandlerCall } from './handler-call.ts'
import type { LastingCall } from './inside-handler.ts'
import { lastingCall } from './inside-handler.ts'
import type { TakenChange } from './taken-change.ts'

/** Whose handlers are run. */
export interface RunOwner {
  readonly receiver: EventReceiver
  /** A run that had to be waited for is over: its event is dealt with, or else the listener is at its end. */
  runEnded(run: HandlerRun, isDealtWith: boolean): void
}

type Handlers = readonly EventHandler<DeliveredEvent>[]

const NO_HANDLERS: Handlers = []

/**
 * The way of one event after another through its handlers, their retries, and what is done when they fail for good. It is
 * made once for many events: a context, functions and promises for each would cost more than all else does for it.
 */
export class HandlerRun {
  readonly call: HandlerCall
  /** The event's place among others, for whoever waits for the run. */
  task: EventTask | null = null
  readonly #owner: RunOwner
  readonly #lasting: LastingCall | null
  #handlers: Handlers = NO_HANDLERS
  /** Which of them is waited for. */
  #index = 0
  #event: DeliveredEvent | null = null
  #taken: TakenChange | null = null
  #startedAt = 0

  /** @param lasting what events run in, one after another; `null`: `call` is that of one event's handlers, which run already. */
  constructor(owner: RunOwner, lasting: LastingCall | null, call: HandlerCall) {
    this.#owner = owner
    this.#lasting = lasting
    this.call = call
  }

  /** Whether another event may run in it, when it is over. */
  get isFree(): boolean {
    // A handler that did not wait for the end that it asked for: what waits in its name must not be taken for another's.
    return this.#lasting !== null && this.call.waitsFor.length === 0
  }

  /** Calls an event's handlers. Returns whether it is dealt with; false: that has to be waited for. */
  begin(event: DeliveredEvent, taken: TakenChange): boolean {
    this.#event = event
    this.#taken = taken
    this.#startedAt = performance.now()
    this.#handlers = this.#owner.receiver.handlers.of(event.kind)
    return this.#lasting === null ? this.callFrom(0) : this.#lasting.run(callAll, this)
  }

  /** Waits for a handler that was called with an event, and goes on from it. */
  goOnFrom(
    pending: PendingHandler,
    handlers: Handlers,
    event: DeliveredEvent,
    taken: TakenChange,
    startedAt: number,
  ): void {
    this.#event = event
    this.#taken = taken
    this.#startedAt = startedAt
    this.#handlers = handlers
    this.#wait(pending)
  }

  /** Calls the handlers from one on. Returns whether they are done, and the event is dealt with. */
  callFrom(index: number): boolean {
    if (this.#event === null || this.#taken === null) return true
    const pending = callHandlers(this.#handlers, this.#event, index)
    if (pending !== null) {
      this.#wait(pending)
      return false
    }
    this.#owner.receiver.delivered(this.#event, this.#taken, this.#startedAt)
    return true
  }

  #wait({ index, promise }: PendingHandler): void {
    this.#index = index
    // What follows tells its own failures.
    void promise.then(this.#onDone, this.#onFailure)
  }

  readonly #onDone = (): void => {
    if (this.callFrom(this.#index + 1)) this.#end(true)
  }

  readonly #onFailure = async (error: unknown): Promise<void> => {
    const event = this.#event
    const taken = this.#taken
    if (event === null || taken === null) return
    const { receiver } = this.#owner
    const failure = await retryHandler(this.#handlers[this.#index], event, error, receiver)
    if (failure === null) this.#onDone()
    else this.#end(await concludeFailure(failure, event, taken, receiver, this.#startedAt))
  }

  #end(isDealtWith: boolean): void {
    this.#event = null
    this.#taken = null
    this.#owner.runEnded(this, isDealtWith)
  }
}

/**
 * Calls an event's handlers in a call that they share with others' as long as they return at once.
 *
 * @returns the run that has to be waited for, where there is one: the call is then its own.
 */
export function runInShared(
  call: HandlerCall,
  owner: RunOwner,
  event: DeliveredEvent,
  taken: TakenChange,
): HandlerRun | null {
  const startedAt = performance.now()
  const { receiver } = owner
  const handlers = receiver.handlers.of(event.kind)
  const pending = callHandlers(handlers, event, 0)
  if (pending === null) {
    receiver.delivered(event, taken, startedAt)
    return null
  }
  const run = new HandlerRun(owner, null, call)
  run.goOnFrom(pending, handlers, event, taken, startedAt)
  return run
}

/** A run for many events, in the context that it is made in. */
export function handlerRun(owner: RunOwner): HandlerRun {
  const lasting = lastingCall()
  return new HandlerRun(owner, lasting, lasting.call)
}

function callAll(run: HandlerRun): boolean {
  return run.callFrom(0)
}
