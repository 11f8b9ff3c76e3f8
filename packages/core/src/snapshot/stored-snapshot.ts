import { createHash } from 'node:crypto'
import type { Condition } from '../conditions/condition.ts'
import type { Transaction } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import { position } from '../contract/position.ts'
import type { KeyTexts } from '../contract/snapshot-source.ts'
import type { TableName } from '../contract/table-name.ts'
import type { KeyRange } from './key-ranges.ts'

/** How far a listener's snapshot is, as it is kept with a durable subscription: plain JSON. */
export interface StoredSnapshot {
  /** Which listener: {@link snapshotName}. */
  readonly name: string
  readonly table: TableName
  readonly ranges: readonly StoredRange[]
}

interface StoredRange {
  readonly upTo: KeyTexts | null
  readonly read: boolean
  /** The snapshot and its end, as long as changes may come again that it has seen. */
  readonly view: readonly [state: string, until: string] | null
}

interface StoredProgress {
  readonly version: 1
  readonly snapshots: readonly StoredSnapshot[]
}

/** What a listener is recognised by: one that wants the same rows and columns has the same name. */
export function snapshotName(wishes: {
  readonly table: TableName
  readonly where: Condition | null
  readonly columns: readonly string[] | null
  readonly key: readonly string[]
}): string {
  const { table, where, columns, key } = wishes
  return createHash('sha256')
    .update(JSON.stringify([table.schema, table.name, where, columns, key]))
    .digest('hex')
    .slice(0, 32)
}

/** Up to where changes are past. */
export interface PastChanges {
  /** Whether every change up to here is handled, as far as is known. */
  readonly handled: (until: Position) => boolean
  /** Whether none up to here will come again, also after a crash, as far as is known. */
  readonly settled: (until: Position) => boolean
}

/** What is to be kept: rows that are not handled count as not read. */
export function storedRanges(ranges: readonly KeyRange[], past: PastChanges): readonly StoredRange[] {
  const stored: StoredRange[] = []
  for (const { upTo, state, view, kept, isPending, mayHaveRows } of ranges) {
    const isTold = !mayHaveRows || view === null || past.handled(view.until)
    const isRead = state === 'read' && !isPending && isTold
    const lasting = isRead && kept !== null && !past.settled(kept.until) ? kept : null
    const range: StoredRange = { upTo, read: isRead, view: lasting === null ? null : [lasting.state, lasting.until] }
    const before = stored.at(-1)
    if (before !== undefined && isAlike(before, range)) stored.pop()
    stored.push(range)
  }
  return stored
}

function isAlike(one: StoredRange, other: StoredRange): boolean {
  return one.read === other.read && one.view?.[0] === other.view?.[0] && one.view?.[1] === other.view?.[1]
}

/** The ranges of a snapshot that is gone on with. Rows that were not handled may have been delivered. */
export function keptRanges(
  { ranges }: StoredSnapshot,
  visibility: (state: string) => (transaction: Transaction) => boolean,
): readonly KeyRange[] {
  return ranges.map(({ upTo, read, view: stored }): KeyRange => {
    const view = stored === null ? null : { state: stored[0], until: position(stored[1]), sees: visibility(stored[0]) }
    return {
      upTo,
      state: read ? 'read' : 'unread',
      view,
      kept: view,
      mayHaveRows: !read,
      given: null,
      isPending: false,
    }
  })
}

/** The text that is kept. */
export function progressText(snapshots: readonly StoredSnapshot[]): string {
  const progress: StoredProgress = { version: 1, snapshots }
  return JSON.stringify(progress)
}

/** What was kept; nothing where it was not written by {@link progressText}. */
export function readProgress(text: string | null): readonly StoredSnapshot[] {
  if (text === null) return []
  try {
    const progress: unknown = JSON.parse(text)
    return isProgress(progress) ? progress.snapshots : []
  } catch {
    // Somebody else's text: every snapshot begins anew.
    return []
  }
}

function isProgress(value: unknown): value is StoredProgress {
  return (
    typeof value === 'object' && value !== null && 'version' in value && value.version === 1 && 'snapshots' in value
  )
}
