import type { ChangeBatch } from '../contract/driver.ts'
import type { RoutedChange } from '../dispatch/routed-change.ts'

/** What a reader delivers at once. */
export type BatchPart = Pick<ChangeBatch, 'changes' | 'bytes'>

/** Some consecutive changes of a batch, and their share of its bytes. */
export function partOf({ changes, bytes }: BatchPart, from: number, to: number): BatchPart {
  if (from === 0 && to === changes.length) return { changes, bytes }
  return { changes: changes.slice(from, to), bytes: Math.ceil((bytes * (to - from)) / changes.length) }
}

/**
 * A change may hold on to everything that was received with it. Where few of a batch are not done with at once, they are
 * given memory of their own, so that what is held is about what it is counted for.
 */
export function detachUnfinished(batch: BatchPart, routed: readonly RoutedChange[]): void {
  const unfinished = routed.filter((change) => change.unfinished > 0)
  if (unfinished.length * 2 >= batch.changes.length) return
  for (const change of unfinished) change.detach()
}
