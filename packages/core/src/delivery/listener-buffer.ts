import type { QueuedChange } from './queued-change.ts'
import type { ListenerOwner } from './listener-owner.ts'

/** What a listener has received and is not done with, and how much memory that holds. */
export class ListenerBuffer {
  readonly #limitBytes: number
  readonly #owner: ListenerOwner
  /** The changes that wait are a linked list: it takes nothing while there are none. */
  #first: QueuedChange | null = null
  #last: QueuedChange | null = null
  #waiting = 0
  /** What was taken and is not done, where that may have to be given up. */
  #held: Set<QueuedChange> | null = null
  #taken = 0
  #bytes = 0

  constructor(limitBytes: number, owner: ListenerOwner) {
    this.#limitBytes = limitBytes
    this.#owner = owner
  }

  /** How many changes wait to be taken. */
  get waiting(): number {
    return this.#waiting
  }

  /** How many changes wait, or were taken and are not done. */
  get unfinished(): number {
    return this.#waiting + this.#taken
  }

  /** How many bytes those hold, as received. */
  get bytes(): number {
    return this.#bytes
  }

  get hasRoom(): boolean {
    return this.bytes < this.#limitBytes
  }

  add(item: QueuedChange): void {
    if (this.#last === null) this.#first = item
    else this.#last.next = item
    this.#last = item
    this.#waiting += 1
    this.#bytes += item.routed.bytes
    item.routed.unfinished += 1
  }

  /** What is taken from now on can be given up by {@link discardTaken}: it may never be done. */
  hold(): void {
    this.#held ??= new Set()
  }

  /** The next change, which is held until it is done. */
  take(): QueuedChange | undefined {
    const item = this.#first
    if (item === null) return undefined
    this.#first = item.next
    if (item.next === null) this.#last = null
    // What was taken must not hold what was not.
    item.next = null
    this.#waiting -= 1
    this.#taken += 1
    this.#held?.add(item)
    return item
  }

  /** A change that was taken is done. Called once for each, except for what was given up. */
  done(item: QueuedChange): void {
    if (this.#held !== null && !this.#held.delete(item)) return
    this.#taken -= 1
    this.#bytes -= item.routed.bytes
    item.routed.unfinished -= 1
    this.#owner.done(item.routed.entry)
    // Reading goes on when half of the buffer is free: one change at a time would wake the source for each.
    if (this.bytes * 2 <= this.#limitBytes) this.#owner.roomMade()
  }

  /** What waits is not wanted any more. What was taken is held until it is done. */
  discardWaiting(): void {
    for (let item = this.#first; item !== null; item = item.next) {
      this.#bytes -= item.routed.bytes
      item.routed.unfinished -= 1
      this.#owner.done(item.routed.entry)
    }
    this.#first = null
    this.#last = null
    this.#waiting = 0
    this.#owner.roomMade()
  }

  /** What was taken is not wanted any more, either. */
  discardTaken(): void {
    for (const item of this.#held ?? []) this.done(item)
  }
}
