import type { ChangeBatch } from '../contract/driver.ts'
import type { RoutedChange } from '../dispatch/routed-change.ts'

/** Some consecutive changes of a batch. Its messages are all in what follows the first part: a part ends where the first of them is. */
export function partOf({ changes, messages = [], bytes }: ChangeBatch, start: number, end: number): ChangeBatch {
  return {
    changes: changes.slice(start, end),
    messages: messages.map(({ at, message }) => ({ at: at - start, message })),
    bytes: Math.ceil((bytes * (end - start)) / Math.max(1, changes.length)),
  }
}

/**
 * A change may hold on to everything that was received with it. Where few of a batch are not done with at once, they are
 * given memory of their own, so that what is held is about what it is counted for.
 */
export function detachUnfinished(batch: ChangeBatch, routed: readonly RoutedChange[]): void {
  const unfinished = routed.filter((change) => change.unfinished > 0)
  if (unfinished.length * 2 >= batch.changes.length) return
  for (const change of unfinished) change.detach()
}
