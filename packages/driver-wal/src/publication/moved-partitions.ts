import type { TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import type { FoundPartition, KnownPartition } from './partition.ts'

/** What is known of a table from before. */
export interface KnownFamily {
  /** Those below it whose names are known. */
  readonly partitions: readonly KnownPartition[]
  /** Object ids of everything below it. */
  readonly family: ReadonlySet<number>
}

/** What came into a table, or left it, with all its rows and without a change: a sentence for each. */
export function movedPartitions(
  table: TableName,
  { partitions, family }: KnownFamily,
  found: readonly FoundPartition[],
): readonly string[] {
  const name = formatTableName(table)
  const now = new Map(found.map((partition) => [partition.oid, partition]))
  const gone = partitions.filter(({ oid }) => !now.has(oid))
  const come = found.filter(({ oid, isMade }) => !isMade && !family.has(oid))
  const again = partitions.filter(({ oid, link }) => link !== null && (now.get(oid)?.link ?? link) !== link)
  return [
    ...gone.map(
      (partition) => `${formatTableName(partition)} is no partition of ${name} any more: its rows left unseen.`,
    ),
    ...come.map((partition) => `${formatTableName(partition)} became a partition of ${name}: its rows came unseen.`),
    ...again.map(
      (partition) =>
        `${formatTableName(partition)} is being detached from ${name}, or was for a while: its rows may have come or gone unseen.`,
    ),
  ]
}
