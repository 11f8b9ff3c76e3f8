import type { TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import type { Lsn } from '../replication/lsn.ts'

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

interface Suspicion {
  readonly table: TableName
  readonly partition: ChangedPartition
  /** Everything that it was done with was committed before this place. */
  readonly place: Lsn
}

/** As many truncates are remembered: those of the moments before a look. */
const MOST_TRUNCATES = 1000

/** As many partitions are named. */
const MOST_NAMES = 5

/**
 * Finds partitions that were emptied one by one, of which the stream says nothing: a truncate is delivered only for the
 * table as a whole. What is stored anew may also have been rewritten, which the catalogue does not tell apart.
 *
 * Whether the whole table was truncated is known as soon as the stream has come that far: until then it is suspected.
 */
export class EmptiedPartitions {
  #suspicions: readonly Suspicion[] = []
  /** Of delivered truncates: table and transaction. */
  readonly #truncates = new Set<string>()

  /** A truncate of a table was delivered. */
  truncated(table: TableName, transaction: string): void {
    this.#truncates.add(keyOf(table, transaction))
    if (this.#truncates.size <= MOST_TRUNCATES) return
    for (const oldest of this.#truncates) {
      this.#truncates.delete(oldest)
      return
    }
  }

  /** A table's partitions are stored like this now, and were like that before. */
  compare(table: TableName, before: readonly StoredPartition[], now: readonly ChangedPartition[], place: Lsn): void {
    const files = new Map(before.map(({ oid, file }) => [oid, file]))
    const changed = now.filter(({ oid, file }) => (files.get(oid) ?? file) !== file)
    if (changed.length === 0) return
    this.#suspicions = [...this.#suspicions, ...changed.map((partition) => ({ table, partition, place }))]
  }

  /** What has proved true, a sentence for each table: everything that was committed before a place was delivered. */
  reasons(passed: Lsn): readonly string[] {
    if (this.#suspicions.length === 0) return []
    const due = this.#suspicions.filter(({ place }) => place <= passed)
    this.#suspicions = this.#suspicions.filter(({ place }) => place > passed)
    const partitions = new Map<string, string[]>()
    for (const { table, partition } of due) {
      if (this.#truncates.has(keyOf(table, partition.writtenBy))) continue
      const name = formatTableName(table)
      partitions.set(name, [...(partitions.get(name) ?? []), formatTableName(partition)])
    }
    return [...partitions].map(
      ([table, names]) =>
        `${some(names)}: emptied (TRUNCATE of a partition of ${table}, which the log says nothing of) or rewritten (VACUUM FULL, CLUSTER, ALTER TABLE). Where it was emptied, its rows left unseen.`,
    )
  }
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ')
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} others` : shown
}

function keyOf({ schema, name }: TableName, transaction: string): string {
  return JSON.stringify([schema, name, transaction])
}
