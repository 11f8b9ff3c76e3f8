import { eventsOf } from '../dispatch/events-of.ts'
import type { DeliveredEvent } from '../event.ts'
import type { ListenerCounters } from '../metrics/listener-counters.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { ConditionWatch } from './condition-watch.ts'
import { ListenerBuffer } from './listener-buffer.ts'
import type { ListenerOwner } from './listener-owner.ts'
import type { TakenChange } from './taken-change.ts'

/** Whose changes they are. */
export interface ChangesHost {
  readonly request: ListenRequest
  readonly owner: ListenerOwner
  readonly counters: ListenerCounters
}

/**
 * How a delivery ended. What it is not done with then is left by its listener, was discarded because its listener asked
 * for that, or is given up with the client, which acknowledges nothing any more.
 */
export type DeliveryEnd = 'left' | 'discarded' | 'closed'

/**
 * The changes that a listener has received: taken one by one as events, and done, acknowledged, or given up. It is its own
 * buffer, because ten thousand listeners have one each, and every event goes by here.
 */
export class ListenerChanges extends ListenerBuffer {
  /** Whether an event is done when its handlers are. */
  readonly isAutomatic: boolean
  readonly #host: ChangesHost
  /** For whoever waits for the last change to be done. */
  #watch: ConditionWatch | null = null
  #end: DeliveryEnd | null = null
  /** How many were given up without being left: nothing keeps them. */
  #givenUp = 0

  constructor(host: ChangesHost) {
    super(host.request.bufferBytes, host.owner)
    this.#host = host
    this.isAutomatic = host.request.ack === 'auto'
    // What nobody acknowledges is never done.
    if (!this.isAutomatic) this.hold()
  }

  get isEnded(): boolean {
    return this.#end !== null
  }

  /** Whether what is given up is left, and keeps the client from acknowledging what is after it. */
  get isKept(): boolean {
    return this.#end === 'left' && this.#host.owner.isDurable
  }

  /** How many are not done, those included that nobody will have. */
  get unhandled(): number {
    return this.unfinished + this.left + this.#givenUp
  }

  /** Resolves when a condition holds that changes may bring about, or what {@link changed} is called for. */
  async until(holds: () => boolean): Promise<void> {
    this.#watch ??= new ConditionWatch()
    await this.#watch.until(holds)
  }

  /** Something has changed that somebody may wait for. */
  changed(): void {
    this.#watch?.changed()
  }

  /** The next change that is an event for this listener, or `null` where none waits now, or none is handed over any more. */
  take(): TakenChange | null {
    const item = this.#end === null ? this.takeItem() : undefined
    if (item === undefined) return null
    try {
      const events = eventsOf(item.routed, item.projection, item.transition)
      const acknowledged = this.isAutomatic ? null : new Set<DeliveredEvent>()
      const taken: TakenChange = { item, events, pending: events.length, isGivenUp: false, acknowledged }
      if (!this.isAutomatic) for (const event of events) this.#addAck(event, taken)
      return taken
    } catch (error) {
      this.#host.owner.failed(error)
      return null
    }
  }

  /** One event of a change is done. */
  done(taken: TakenChange): void {
    taken.pending -= 1
    if (taken.pending !== 0) return
    const isNew = this.doneItem(taken.item)
    if (this.#end !== null) this.#doneLate(isNew && taken.isGivenUp)
    this.#watch?.changed()
  }

  /** One event is done, unless somebody has acknowledged it before. */
  doneWith(event: DeliveredEvent, taken: TakenChange): void {
    if (taken.acknowledged?.has(event)) return
    taken.acknowledged?.add(event)
    this.done(taken)
  }

  /** One event of a change is with nobody, because the end came. */
  givenUp(taken: TakenChange): void {
    if (!this.isKept) {
      taken.isGivenUp = true
      this.done(taken)
    } else if (!taken.isGivenUp) {
      taken.isGivenUp = true
      this.leaveItem(taken.item)
      this.#host.counters.setLeft(this.left)
    }
  }

  /** Nothing further is handed over. */
  end(how: DeliveryEnd): void {
    this.#end = how
  }

  /** After the end: what waits is given up, and what somebody has who may never be done with it. */
  giveUp(): void {
    const changes = this.giveUpAll(this.isKept)
    if (this.isKept) this.#host.counters.setLeft(this.left)
    else this.#count(changes)
  }

  /** What was left counts as done. Returns whether that had not been so. */
  letGo(): boolean {
    if (this.#end !== 'left') return false
    this.#end = 'discarded'
    this.#host.counters.countDiscarded(this.letGoLeft())
    this.#host.counters.setLeft(0)
    this.#givenUp = 0
    return true
  }

  #count(givenUp: number): void {
    if (this.#end !== 'discarded') this.#givenUp += givenUp
    if (this.#end !== 'closed') this.#host.counters.countDiscarded(givenUp)
  }

  /** A change is done after the end: because it was given up, or because somebody had it all the while. */
  #doneLate(isGivenUp: boolean): void {
    if (isGivenUp) this.#count(1)
    else this.#host.counters.setLeft(this.left)
  }

  #addAck(event: DeliveredEvent, taken: TakenChange): void {
    // Not enumerable: an event is plain data to whoever copies, compares or prints it.
    Object.defineProperty(event, 'ack', { value: () => this.doneWith(event, taken) })
  }
}
