import type { ChangeEvent } from '../event.ts'
import type { Delivery } from './inside-handler.ts'
import { deliverInside, deliverInSweep, isInsideHandlerOf } from './inside-handler.ts'
import { KeyOrder } from './key-order.ts'
import type { KeyedTask } from './key-order.ts'
import type { DeliverySource, TakenChange } from './taken-change.ts'

/** Where a push delivery's events come from, and where each goes. */
export interface PushSource extends DeliverySource {
  /**
   * Hands one event to its handlers. True: it is dealt with; false: the listener is at its end. A promise only if there
   * is something to wait for.
   */
  deliver(event: ChangeEvent, taken: TakenChange): boolean | Promise<boolean>
  /** What must not overtake what: events with the same text are in order, `null` is in order with everything. */
  orderOf(event: ChangeEvent, taken: TakenChange): string | null
}

interface EventTask extends KeyedTask {
  readonly event: ChangeEvent
  readonly taken: TakenChange
}

/** Hands events to handlers: one after the other, or several at once where their order does not matter. */
export class PushDelivery implements Delivery {
  readonly #source: PushSource
  /** How many events may be with handlers at once. */
  readonly #concurrency: number
  /** Only where several events may be with handlers at once. */
  readonly #order: KeyOrder<EventTask> | null
  #calls: Set<Promise<void>> | null = null
  #isRunning = false
  /** Whether the handlers had returned when the delivery was last begun, without a promise to wait for. */
  #returnsAtOnce = false
  #ended = false

  constructor(source: PushSource, concurrency: number) {
    this.#source = source
    this.#concurrency = concurrency
    this.#order = concurrency === 1 ? null : new KeyOrder()
  }

  /** There may be something to deliver. */
  wake(): void {
    // A handler that attaches or removes one comes here while the loop runs: the loop goes on by itself.
    if (this.#ended || this.#isRunning) return
    this.#isRunning = true
    if (this.#returnsAtOnce) deliverInSweep(this)
    else deliverInside(this)
  }

  /** Hands over what there is: called by {@link wake}. Returns whether the handlers have returned, as far as is known. */
  begin(): boolean {
    if (this.#order !== null) {
      this.#asManyAsMay(this.#order)
      return false
    }
    this.#oneByOne(null, 0)
    this.#returnsAtOnce = !this.#isRunning
    return this.#returnsAtOnce
  }

  /** No further event is handed over: what was taken and is with no handler is done with. */
  end(): void {
    this.#ended = true
    for (const task of this.#order?.clear() ?? []) this.#source.done(task.taken)
  }

  /** Resolves when nothing is with a handler; at once for a handler that asks. */
  async settled(): Promise<void> {
    if (isInsideHandlerOf(this)) return
    while (this.#calls !== null && this.#calls.size > 0) await Promise.all(this.#calls)
  }

  /** Goes on until there is nothing to hand over, or something to wait for: then it goes on after that. */
  #oneByOne(unfinished: TakenChange | null, start: number): void {
    let taken = unfinished ?? this.#take()
    let at = start
    while (taken !== null) {
      const event = taken.events[at]
      at += 1
      if (event === undefined) {
        taken = this.#take()
        at = 0
      } else if (this.#ended) {
        this.#source.done(taken)
      } else {
        const outcome = this.#source.deliver(event, taken)
        if (typeof outcome !== 'boolean') {
          this.#goOnAfter(outcome, taken, at)
          return
        }
        if (!outcome) this.#ended = true
      }
    }
    // In the same breath as the last look: whoever wakes the delivery from now on starts it anew.
    this.#isRunning = false
  }

  #take(): TakenChange | null {
    return this.#ended ? null : this.#source.take()
  }

  #goOnAfter(outcome: Promise<boolean>, taken: TakenChange, next: number): void {
    this.#whenDone(outcome, (goesOn) => {
      if (!goesOn) this.#ended = true
      this.#oneByOne(taken, next)
    })
  }

  #asManyAsMay(order: KeyOrder<EventTask>): void {
    while (!this.#ended && order.running < this.#concurrency) {
      const task = order.next()
      if (task !== null) this.#start(order, task)
      else if (!order.accepts || !this.#takeTasks(order)) break
    }
    this.#isRunning = false
  }

  #takeTasks(order: KeyOrder<EventTask>): boolean {
    const taken = this.#source.take()
    if (taken === null) return false
    for (const event of taken.events) order.add({ key: this.#source.orderOf(event, taken), event, taken })
    return true
  }

  #start(order: KeyOrder<EventTask>, task: EventTask): void {
    const outcome = this.#source.deliver(task.event, task.taken)
    if (typeof outcome === 'boolean') {
      if (outcome) order.done(task)
      return
    }
    this.#whenDone(outcome, (goesOn) => {
      if (!goesOn) return
      order.done(task)
      this.wake()
    })
  }

  #whenDone(outcome: Promise<boolean>, goOn: (goesOn: boolean) => void): void {
    this.#calls ??= new Set()
    const calls = this.#calls
    const call = outcome.then((goesOn) => {
      calls.delete(call)
      goOn(goesOn)
    })
    calls.add(call)
  }
}
