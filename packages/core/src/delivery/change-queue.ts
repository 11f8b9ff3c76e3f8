import type { Change } from '../contract/driver.ts'
import type { AcknowledgementEntry } from './acknowledgement-tracker.ts'

/** A change on its way to one listener. */
export interface QueuedChange {
  change: Change
  readonly entry: AcknowledgementEntry
  readonly bytes: number
}

/** First in, first out, with the bytes that wait in it. */
export class ChangeQueue {
  #items: (QueuedChange | undefined)[] = []
  #head = 0
  #bytes = 0

  /** How many changes wait. */
  get length(): number {
    return this.#items.length - this.#head
  }

  /** How many bytes they hold, as received. */
  get bytes(): number {
    return this.#bytes
  }

  push(item: QueuedChange): void {
    this.#items.push(item)
    this.#bytes += item.bytes
  }

  shift(): QueuedChange | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    // The slot is cleared, so that a change can be collected before the array is cut.
    this.#items[this.#head] = undefined
    this.#head += 1
    this.#bytes -= item.bytes
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    return item
  }

  /** Replaces the changes that wait, from the given place in the queue on. */
  replaceFrom(index: number, replacement: (change: Change) => Change): void {
    for (const item of this.#items.slice(this.#head + index)) {
      if (item !== undefined) item.change = replacement(item.change)
    }
  }

  /** Empties the queue and returns what was in it. */
  clear(): readonly QueuedChange[] {
    const rest: QueuedChange[] = []
    for (let item = this.shift(); item !== undefined; item = this.shift()) rest.push(item)
    return rest
  }
}
