import { randomBytes } from 'node:crypto'
import type { CompiledCondition } from '../conditions/compile-condition.ts'
import type { Tuple } from '../contract/relation.ts'
import type { KeyTexts, SnapshotChunk } from '../contract/snapshot-source.ts'
import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import type { QueuedChange } from '../delivery/queued-change.ts'
import type { Binding } from '../dispatch/binding.ts'
import { RoutedChange } from '../dispatch/routed-change.ts'
import { SnapshotRow } from './snapshot-row.ts'

/** A piece of a table that was read, and what becomes of its rows. */
export interface RowsToGive {
  readonly chunk: SnapshotChunk
  /** The key of each row. */
  readonly keys: readonly KeyTexts[]
  /** The listener's wishes, resolved against the shape of the rows. */
  readonly binding: Binding
  /** What counts the rows that are given, until they are handled. */
  readonly entry: AcknowledgementEntry
  readonly take: (item: QueuedChange) => void
}

/** Gives the rows that a listener's condition is true of. Returns their keys. */
export function giveRows({ chunk, keys, binding, entry, take }: RowsToGive): readonly KeyTexts[] {
  const { relation, rows, bytes, until } = chunk
  const { projection, condition } = binding
  const given: KeyTexts[] = []
  const reading = randomBytes(6).toString('hex')
  const each = Math.ceil(bytes / Math.max(1, rows.length))
  for (const [index, tuple] of rows.entries()) {
    const key = keys[index]
    if (key === undefined || !isWanted(condition, tuple)) continue
    given.push(key)
    entry.pending += 1
    const routed = new RoutedChange(new SnapshotRow(relation, tuple, key, until, reading), entry, each)
    routed.takers = 1
    take({ routed, projection, transition: 'snapshot', next: null })
  }
  return given
}

function isWanted(condition: CompiledCondition | null, tuple: Tuple): boolean {
  return condition === null || condition.isTrue(tuple) === true
}
