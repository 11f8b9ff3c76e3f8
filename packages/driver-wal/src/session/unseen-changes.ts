import type { ChangeBatch, Position } from '@rowtap/core/driver'

/** Leaves out what was delivered before, or is not to be delivered, after a stream has begun again at an earlier place. */
export class UnseenChanges {
  #last: Position | null = null
  /** Up to here changes are left out; `null` once one was after it. */
  #limit: Position | null = null

  /** The last change that was delivered. */
  get last(): Position | null {
    return this.#last
  }

  /** @param beginsAfter the stream is whole only after this; `null`: from its first change on. */
  repeat(beginsAfter: Position | null): void {
    this.#limit = beginsAfter !== null && (this.#last === null || beginsAfter > this.#last) ? beginsAfter : this.#last
  }

  /** What of a batch is to be delivered; `null` where that is nothing. */
  of(batch: ChangeBatch): ChangeBatch | null {
    const unseen = this.#limit === null ? batch : partAfter(batch, this.#limit)
    if (unseen === null) return null
    this.#limit = null
    this.#last = lastOf(unseen) ?? this.#last
    return unseen
  }
}

function partAfter({ changes, messages = [], bytes }: ChangeBatch, limit: Position): ChangeBatch | null {
  const found = changes.findIndex(({ position }) => position > limit)
  const first = found < 0 ? changes.length : found
  const unseen = changes.slice(first)
  const unseenMessages = messages
    .filter(({ message }) => message.position > limit)
    .map(({ at, message }) => ({ at: at - first, message }))
  if (unseen.length === 0 && unseenMessages.length === 0) return null
  const share = (unseen.length + unseenMessages.length) / (changes.length + messages.length)
  return {
    changes: unseen,
    bytes: Math.ceil(bytes * share),
    ...(unseenMessages.length === 0 ? {} : { messages: unseenMessages }),
  }
}

function lastOf({ changes, messages }: ChangeBatch): Position | null {
  const change = changes.at(-1)?.position ?? null
  const message = messages?.at(-1)?.message.position ?? null
  if (change === null || message === null) return change ?? message
  return change > message ? change : message
}
