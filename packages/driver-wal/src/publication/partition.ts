import type { TableName } from '@rowtap/core/driver'

/** A partition as it is stored. */
export interface StoredPartition extends TableName {
  readonly oid: number
  /** Another one once it was emptied or rewritten. 0 where it stores nothing. */
  readonly file: number
}

/** The same, and which transaction stored it so. */
export interface ChangedPartition extends StoredPartition {
  readonly writtenBy: string
}

/** The same, and since when it is a partition. */
export interface KnownPartition extends StoredPartition {
  /** The transaction that made it one: another one each time. `null`: not known. */
  readonly link: string | null
}

/** A partition as a look finds it. */
export interface FoundPartition extends ChangedPartition, KnownPartition {
  /** Made as a partition, and so without rows; otherwise it was a table of its own before. */
  readonly isMade: boolean
}

/** How a partition was stored when it came that nobody has seen before: one that was made as one has the file of a new table. */
export function firstFile({ oid, file, isMade }: Pick<FoundPartition, 'oid' | 'file' | 'isMade'>): number {
  return isMade && file !== 0 ? oid : file
}
