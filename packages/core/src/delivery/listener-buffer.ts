import { LeftChanges } from './left-changes.ts'
import type { ListenerOwner } from './listener-owner.ts'
import type { QueuedChange } from './queued-change.ts'

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
  #left: LeftChanges | null = null

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

  /** How many changes were left: they are not done, and nobody has them. */
  get left(): number {
    return this.#left?.count ?? 0
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

  /** What is taken from now on can be given up by {@link giveUpAll}: it may never be done. */
  hold(): void {
    this.#held ??= new Set()
  }

  /** The next change, which is held until it is done. */
  takeItem(): QueuedChange | undefined {
    const item = this.#first
    if (item === null) return undefined
    this.#first = item.next
    if (item.next === null) this.#last = null
    // What was taken must not hold what was not.
    item.next = null
    item.taken?.()
    this.#waiting -= 1
    this.#taken += 1
    this.#held?.add(item)
    return item
  }

  /**
   * A change that was taken is done. Called once for each; what was left by then is done all the same.
   *
   * @returns whether it had not been given up before.
   */
  doneItem(item: QueuedChange): boolean {
    if (this.#held !== null && !this.#held.delete(item)) {
      this.#left?.done(item.routed.entry)
      return false
    }
    this.#taken -= 1
    this.#release(item, false)
    // Reading goes on when half of the buffer is free: one change at a time would wake the source for each.
    if (this.bytes * 2 <= this.#limitBytes) this.#owner.roomMade()
    return true
  }

  /**
   * What waits, and what somebody holds who may never be done with it, is given up: its memory is let go of. It is left,
   * or counts as done. Returns how many changes that were.
   */
  giveUpAll(leave: boolean): number {
    const before = this.unfinished
    for (let item = this.#first; item !== null; item = item.next) this.#release(item, leave)
    this.#first = null
    this.#last = null
    this.#waiting = 0
    for (const item of this.#held ?? []) this.#release(item, leave)
    this.#taken -= this.#held?.size ?? 0
    this.#held?.clear()
    this.#owner.roomMade()
    return before - this.unfinished
  }

  /** A change that was taken, and that nobody holds, is left. */
  leaveItem(item: QueuedChange): void {
    if (this.#held !== null && !this.#held.delete(item)) return
    this.#taken -= 1
    this.#release(item, true)
  }

  /** What was left counts as done. Returns how many changes that were. */
  letGoLeft(): number {
    return this.#left?.letGo() ?? 0
  }

  #release({ routed }: QueuedChange, leave: boolean): void {
    this.#bytes -= routed.bytes
    routed.unfinished -= 1
    if (!leave) {
      this.#owner.done(routed.entry)
      return
    }
    this.#left ??= new LeftChanges(this.#owner.done)
    this.#left.add(routed.entry)
  }
}
