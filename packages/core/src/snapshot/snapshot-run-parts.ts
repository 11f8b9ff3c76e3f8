import type { Relation } from '../contract/relation.ts'
import type { SnapshotKey, SnapshotSource } from '../contract/snapshot-source.ts'
import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import type { QueuedChange } from '../delivery/queued-change.ts'
import type { Binding } from '../dispatch/binding.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import type { KeyRange } from './key-ranges.ts'
import type { PastChanges } from './stored-snapshot.ts'

/** Whose rows are read. */
export interface SnapshotListener {
  readonly request: Pick<ListenRequest, 'table' | 'bufferBytes'>
  /** How many bytes of what it was given are not handled. */
  readonly deliveredBytes: number
  /** Gives it a row, or a change. */
  take(item: QueuedChange): void
  /** Delivers what it was given. */
  wake(): void
}

/** What a {@link SnapshotRun} works with. */
export interface SnapshotRunParts {
  readonly listener: SnapshotListener
  readonly source: SnapshotSource
  readonly key: SnapshotKey
  /** The columns that are needed; `null` for all. */
  readonly columns: ReadonlySet<string> | null
  readonly relation: Relation
  /** The listener's wishes, resolved against a shape of the table. */
  readonly bind: (relation: Relation) => Binding
  /** Where an earlier run has come to; left out for a new snapshot. */
  readonly ranges?: readonly KeyRange[]
  /** Up to where changes are past, as it was when it was last looked at. */
  readonly past: () => PastChanges
  /** Looks at that again. */
  readonly look: () => Promise<unknown>
  /** Keeps how far it is, where that outlives the client. */
  readonly save: () => Promise<void>
  /** Something has come further: it may be kept soon. */
  readonly progressed: () => void
  /** Rows were given to the listener. */
  readonly given: (entry: AcknowledgementEntry) => void
  /** A change that was held is not wanted. */
  readonly done: (entry: AcknowledgementEntry) => void
  readonly roomMade: () => void
  /** It reads no more, and what is held stays so. */
  readonly failed: (error: unknown) => void
}
