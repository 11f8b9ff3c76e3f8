import type { DeliveredEvent } from '../event.ts'
import type { Delivery, HandlerCall } from './handler-call.ts'
import type { CallFrame } from './inside-handler.ts'
import { callFrame, deliverInSweep } from './inside-handler.ts'
import { KeyOrder } from './key-order.ts'
import type { KeyedTask } from './key-order.ts'
import type { DeliverySource, TakenChange } from './taken-change.ts'

/** Where a push delivery's events come from, and where each goes. */
export interface PushSource extends DeliverySource {
  /**
   * Hands one event to its handlers. True: it is dealt with; false: the listener is at its end. A promise only if there
   * is something to wait for.
   */
  deliver(event: DeliveredEvent, taken: TakenChange): boolean | Promise<boolean>
  /** What must not overtake what: events with the same text are in order, `null` is in order with everything. */
  orderOf(event: DeliveredEvent, taken: TakenChange): string | null
  /** One event of a change was taken and will be with no handler, because the delivery has ended. */
  givenUp(taken: TakenChange): void
  /** A call of handlers has begun or ended that takes its time, or waits for an end. */
  callsChanged(): void
}

interface EventTask extends KeyedTask {
  readonly event: DeliveredEvent
  readonly taken: TakenChange
}

/** Handlers that have not returned yet. */
interface PendingCall {
  readonly call: HandlerCall
  /** What the call was made in; `null` where it is the handlers' for good. */
  readonly frame: CallFrame | null
  readonly outcome: Promise<boolean>
}

const NO_CALLS: readonly never[] = []

/** For so many events after one that its handlers took their time for, none shares a call with other listeners' events. */
const CALLS_ALONE = 64

/** Hands events to handlers: one after the other, or several at once where their order does not matter. */
export class PushDelivery implements Delivery {
  readonly #source: PushSource
  /** How many events may be with handlers at once. */
  readonly #concurrency: number
  /** Only where several events may be with handlers at once. */
  readonly #order: KeyOrder<EventTask> | null
  #calls: Set<HandlerCall> | null = null
  /** Frames whose handlers have returned, while there is something to hand over: an idle delivery holds none. */
  #frames: CallFrame[] = []
  #isRunning = false
  /** How many of the next events have a call of their own. */
  #alone = 1
  /** A call that handlers which return at once may share. */
  #shared: HandlerCall | null = null
  #ended = false

  constructor(source: PushSource, concurrency: number) {
    this.#source = source
    this.#concurrency = concurrency
    this.#order = concurrency === 1 ? null : new KeyOrder()
  }

  /** The calls of handlers that have not returned yet. */
  get calls(): Iterable<HandlerCall> {
    return this.#calls ?? NO_CALLS
  }

  /** How many those are. */
  get running(): number {
    return this.#calls?.size ?? 0
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
    this.#source.callsChanged()
  }

  /** No further event is handed over: what was taken and is with no handler is given up. */
  end(): void {
    this.#ended = true
    for (const task of this.#order?.clear() ?? NO_CALLS) this.#source.givenUp(task.taken)
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
        this.#source.givenUp(taken)
      } else {
        const outcome = this.#deliver(event, taken)
        if (typeof outcome !== 'boolean') {
          this.#goOnAfter(outcome, taken, at)
          return
        }
        if (!outcome) this.#ended = true
      }
    }
    this.#rest()
  }

  /** In the same breath as the last look: whoever wakes the delivery from now on starts it anew. */
  #rest(): void {
    this.#isRunning = false
    if (this.running === 0 && this.#frames.length > 0) this.#frames = []
  }

  #take(): TakenChange | null {
    return this.#ended ? null : this.#source.take()
  }

  #goOnAfter(pending: PendingCall, taken: TakenChange, next: number): void {
    this.#whenDone(pending, (goesOn) => {
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
    this.#rest()
  }

  #takeTasks(order: KeyOrder<EventTask>): boolean {
    const taken = this.#source.take()
    if (taken === null) return false
    for (const event of taken.events) order.add({ key: this.#source.orderOf(event, taken), event, taken })
    return true
  }

  #start(order: KeyOrder<EventTask>, task: EventTask): void {
    const outcome = this.#deliver(task.event, task.taken)
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

  /** Calls an event's handlers: in the shared call if they have returned at once lately, else in one of their own. */
  #deliver(event: DeliveredEvent, taken: TakenChange): boolean | PendingCall {
    const shared = this.#alone === 0 ? this.#shared : null
    if (shared !== null && shared.waitsFor.length === 0) {
      const outcome = this.#source.deliver(event, taken)
      if (typeof outcome === 'boolean') return outcome
      this.#shared = null
      return { call: shared, frame: null, outcome }
    }
    const frame = this.#frames.pop() ?? callFrame()
    const { call } = frame
    call.delivery = this
    const outcome = frame.run(this.#source, event, taken)
    if (typeof outcome !== 'boolean') return { call, frame, outcome }
    this.#giveBack(call, frame)
    if (this.#alone > 0) this.#alone -= 1
    return outcome
  }

  #giveBack(call: HandlerCall, frame: CallFrame | null): void {
    call.delivery = null
    // A handler that did not wait for the end that it asked for: what waits in its name must not be taken for another's.
    if (frame !== null && call.waitsFor.length === 0) this.#frames.push(frame)
  }

  #whenDone({ call, frame, outcome }: PendingCall, goOn: (goesOn: boolean) => void): void {
    this.#alone = CALLS_ALONE
    this.#calls ??= new Set()
    const calls = this.#calls
    calls.add(call)
    this.#source.callsChanged()
    // What follows is told by the handlers' outcome, which never rejects.
    void outcome.then((goesOn) => {
      calls.delete(call)
      this.#giveBack(call, frame)
      goOn(goesOn)
      this.#source.callsChanged()
    })
  }
}
