import type { DeliveredEvent } from '../event.ts'
import type { EventReceiver } from './conclude-failure.ts'
import type { Delivery, HandlerCall } from './handler-call.ts'
import type { EventTask } from './event-task.ts'
import type { HandlerRun, RunOwner } from './handler-run.ts'
import { handlerRun, runInShared } from './handler-run.ts'
import { deliverInSweep } from './inside-handler.ts'
import { KeyOrder } from './key-order.ts'
import type { DeliverySource, TakenChange } from './taken-change.ts'

/** Where a push delivery's events come from, and where each goes. */
export interface PushSource extends DeliverySource, EventReceiver {
  /** What must not overtake what: events with the same text are in order, `null` is in order with everything. */
  orderOf(event: DeliveredEvent, taken: TakenChange): string | null
  /** One event of a change was taken and will be with no handler, because the delivery has ended. */
  givenUp(taken: TakenChange): void
  /** A call of handlers has begun or ended that takes its time, or waits for an end. */
  callsChanged(): void
}

const NONE: readonly never[] = []

/** For so many events after one that its handlers took their time for, none shares a call with other listeners' events. */
const CALLS_ALONE = 64

/** Hands events to handlers: one after the other, or several at once where their order does not matter. */
export class PushDelivery implements Delivery, RunOwner {
  readonly receiver: PushSource
  /** How many events may be with handlers at once. */
  readonly #concurrency: number
  /** Only where several events may be with handlers at once. */
  readonly #order: KeyOrder<EventTask> | null
  /** The runs whose handlers have not returned yet. */
  #running: HandlerRun[] = []
  /** Runs that are over, while there is something to hand over: an idle delivery holds none. */
  #idle: HandlerRun[] = []
  /** What was taken and is with a handler in part, and which of its events is next: only where one is after the other. */
  #unfinished: TakenChange | null = null
  #next = 0
  #isRunning = false
  /** How many of the next events have a call of their own. */
  #alone = 1
  /** A call that handlers which return at once may share. */
  #shared: HandlerCall | null = null
  #ended = false

  constructor(source: PushSource, concurrency: number) {
    this.receiver = source
    this.#concurrency = concurrency
    this.#order = concurrency === 1 ? null : new KeyOrder()
  }

  /** The calls of handlers that have not returned yet. */
  get calls(): Iterable<HandlerCall> {
    return this.#running.map(({ call }) => call)
  }

  /** How many those are. */
  get running(): number {
    return this.#running.length
  }

  /** There may be something to deliver. */
  wake(): void {
    // A handler that attaches or removes one comes here while the loop runs: the loop goes on by itself.
    if (this.#ended || this.#isRunning) return
    this.#isRunning = true
    if (this.#alone === 0) deliverInSweep(this)
    else this.begin(null)
  }

  begin(shared: HandlerCall | null): boolean {
    this.#shared = shared
    if (this.#order === null) this.#oneByOne(null, 0)
    else this.#asManyAsMay(this.#order)
    const isFree = this.#shared !== null
    this.#shared = null
    return isFree
  }

  callWaits(): void {
    this.receiver.callsChanged()
  }

  /** No further event is handed over: what was taken and is with no handler is given up. */
  end(): void {
    this.#ended = true
    for (const task of this.#order?.clear() ?? NONE) this.receiver.givenUp(task.taken)
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
        this.receiver.givenUp(taken)
      } else {
        if (!this.#deliver(event, taken, null)) {
          this.#unfinished = taken
          this.#next = at
          return
        }
      }
    }
    this.#rest()
  }

  /** In the same breath as the last look: whoever wakes the delivery from now on starts it anew. */
  #rest(): void {
    this.#isRunning = false
    if (this.running === 0 && this.#idle.length > 0) this.#idle = []
  }

  #take(): TakenChange | null {
    return this.#ended ? null : this.receiver.take()
  }

  #asManyAsMay(order: KeyOrder<EventTask>): void {
    while (!this.#ended && order.running < this.#concurrency) {
      const task = order.next()
      if (task !== null) this.#start(order, task)
      else if (!order.accepts || !this.#takeTasks(order)) break
    }
    this.#rest()
  }

  #takeTasks(order: KeyOrder<EventTask>): boolean {
    const taken = this.receiver.take()
    if (taken === null) return false
    for (const event of taken.events) order.add({ key: this.receiver.orderOf(event, taken), event, taken })
    return true
  }

  #start(order: KeyOrder<EventTask>, task: EventTask): void {
    if (this.#deliver(task.event, task.taken, task)) order.done(task)
  }

  /**
   * Calls an event's handlers: in the shared call if they have returned at once lately, else in one of their own.
   *
   * @returns whether that is done; false: {@link runEnded} is called when it is.
   */
  #deliver(event: DeliveredEvent, taken: TakenChange, task: EventTask | null): boolean {
    const shared = this.#alone === 0 ? this.#shared : null
    if (shared !== null && shared.waitsFor.length === 0) {
      const run = runInShared(shared, this, event, taken)
      if (run === null) return true
      this.#shared = null
      return this.#waitFor(run, task)
    }
    const run = this.#idle.pop() ?? handlerRun(this)
    run.call.delivery = this
    if (!run.begin(event, taken)) return this.#waitFor(run, task)
    this.#giveBack(run)
    if (this.#alone > 0) this.#alone -= 1
    return true
  }

  #waitFor(run: HandlerRun, task: EventTask | null): false {
    this.#alone = CALLS_ALONE
    run.task = task
    this.#running.push(run)
    this.receiver.callsChanged()
    return false
  }

  #giveBack(run: HandlerRun): void {
    run.call.delivery = null
    if (run.isFree) this.#idle.push(run)
  }

  runEnded(run: HandlerRun, isDealtWith: boolean): void {
    if (this.#running.at(-1) === run) this.#running.pop()
    else this.#running.splice(this.#running.indexOf(run), 1)
    this.#giveBack(run)
    const { task } = run
    run.task = null
    if (task === null || this.#order === null) {
      if (!isDealtWith) this.#ended = true
      const taken = this.#unfinished
      this.#unfinished = null
      this.#oneByOne(taken, this.#next)
    } else if (isDealtWith) {
      this.#order.done(task)
      this.wake()
    }
    this.receiver.callsChanged()
  }
}
