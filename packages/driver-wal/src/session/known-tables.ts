import { randomBytes } from 'node:crypto'
import type { CoveredTable } from '../publication/coverage.ts'
import { isLess } from '../publication/coverage.ts'
import type { FoundPartition, KnownPartition } from '../publication/partition.ts'
import { firstFile } from '../publication/partition.ts'
import type { RecordedTable } from './subscription-record.ts'

/**
 * What is below a table, as somebody knows it who knew what was there before: where a partition is stored otherwise than it
 * was, it is not known yet why.
 */
export function knownPartitions(
  found: readonly FoundPartition[],
  before: readonly KnownPartition[] | null,
): readonly KnownPartition[] {
  const files = before === null ? null : new Map(before.map(({ oid, file }) => [oid, file]))
  return found.map((partition) => {
    const { oid, schema, name, link } = partition
    const file = files === null ? partition.file : (files.get(oid) ?? firstFile(partition))
    return { oid, schema, name, file, link }
  })
}

/** Tables that are covered from now on, without anything missed that was covered before. */
export function takenTables(
  now: readonly CoveredTable[],
  before: readonly RecordedTable[] | null,
): readonly RecordedTable[] {
  return now.map((table) => {
    const known = before?.find(({ oid }) => oid === table.oid)
    return {
      ...table,
      partitions: knownPartitions(table.partitions, known?.partitions ?? null),
      since: known === undefined ? moment() : known.since,
    }
  })
}

/** What becomes of tables that are covered as it was wanted. */
export interface SettledTables {
  readonly tables: readonly RecordedTable[]
  /** Those of which changes were missed. */
  readonly missed: readonly RecordedTable[]
}

/**
 * The tables that are covered as it was wanted, and since when they are.
 *
 * @param before as they were known.
 * @param returned those that were taken out and added again by one transaction of ours, as they were known.
 * @param moved what is below those whose partitions were compared before they were captured.
 */
export function settledTables(
  now: readonly CoveredTable[],
  before: readonly RecordedTable[],
  returned: ReadonlyMap<number, RecordedTable>,
  moved: ReadonlyMap<number, readonly KnownPartition[]>,
): SettledTables {
  const missed: RecordedTable[] = []
  const tables = now.map((table): RecordedTable => {
    const ours = returned.get(table.oid)
    const known = ours ?? before.find(({ oid }) => oid === table.oid)
    const compared = moved.get(table.oid)
    const partitions = compared ?? known?.partitions ?? knownPartitions(table.partitions, null)
    const isWhole =
      known !== undefined && compared === undefined && !isLess(known, table) && (ours ?? table).member === known.member
    const settled = { ...table, partitions, since: isWhole ? known.since : moment() }
    if (known !== undefined && !isWhole) missed.push(settled)
    return settled
  })
  return { tables, missed }
}

/** A text that stands for this moment, and for no other. */
export function moment(): string {
  return randomBytes(6).toString('base64url')
}
