import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import type { QueuedChange } from '../delivery/queued-change.ts'

/** Changes that wait for a piece of their table to be read, in order. */
export class HeldChanges {
  readonly #done: (entry: AcknowledgementEntry) => void
  #items: QueuedChange[] = []
  #head = 0
  #bytes = 0

  /** @param done is told of each change that is not wanted. */
  constructor(done: (entry: AcknowledgementEntry) => void) {
    this.#done = done
  }

  get count(): number {
    return this.#items.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  add(item: QueuedChange): void {
    this.#items.push(item)
    this.#bytes += item.routed.bytes
    item.routed.unfinished += 1
  }

  /** The first of them, so many. */
  first(count: number): readonly QueuedChange[] {
    return this.#items.slice(this.#head, this.#head + count)
  }

  peek(): QueuedChange | undefined {
    return this.#items[this.#head]
  }

  /** The first is not held any more: {@link release} it once it is known what becomes of it. */
  remove(): void {
    const item = this.#items[this.#head]
    if (item === undefined) return
    this.#head += 1
    this.#bytes -= item.routed.bytes
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
  }

  /** What became of a change that was held is known. */
  release({ routed }: QueuedChange, isDropped: boolean): void {
    routed.unfinished -= 1
    if (isDropped) this.#done(routed.entry)
  }

  /** None of them is held any more: what becomes of them is the caller's business. */
  takeAll(): readonly QueuedChange[] {
    const items = this.#items.slice(this.#head)
    this.#items = []
    this.#head = 0
    this.#bytes = 0
    for (const item of items) this.release(item, false)
    return items
  }
}
