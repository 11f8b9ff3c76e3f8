import type { TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import type { Lsn } from '../replication/lsn.ts'
import type { ChangedPartition, FoundPartition, StoredPartition } from './partition.ts'
import { firstFile } from './partition.ts'

/** Why rows of a table may have come or gone unseen. */
export interface Missed {
  readonly table: TableName
  readonly reason: string
}

/** What is looked at of a partition. */
export type ComparedPartition = ChangedPartition & Pick<FoundPartition, 'isMade'>

interface Suspicion {
  readonly table: TableName
  readonly partition: ChangedPartition
  /** As it was stored before. */
  readonly file: number
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
  compare(table: TableName, before: readonly StoredPartition[], now: readonly ComparedPartition[], place: Lsn): void {
    const files = new Map(before.map(({ oid, file }) => [oid, file]))
    const fileBefore = (partition: ComparedPartition): number => files.get(partition.oid) ?? firstFile(partition)
    const changed = now.filter((partition) => fileBefore(partition) !== partition.file)
    if (changed.length === 0) return
    this.#suspicions = [
      ...this.#suspicions,
      ...changed.map((partition) => ({ table, partition, file: fileBefore(partition), place })),
    ]
  }

  /** How partitions were stored of which it is not known yet what became of them: the file of each object id. */
  get undecided(): ReadonlyMap<number, number> {
    // The first one that is suspected has the file that was known.
    return new Map(this.#suspicions.toReversed().map(({ partition, file }) => [partition.oid, file]))
  }

  /** What has proved true, a sentence for each table: everything that was committed before a place was delivered. */
  reasons(passed: Lsn): readonly Missed[] {
    if (this.#suspicions.length === 0) return []
    const due = this.#suspicions.filter(({ place }) => place <= passed)
    this.#suspicions = this.#suspicions.filter(({ place }) => place > passed)
    const found = new Map<string, { readonly table: TableName; readonly names: string[] }>()
    for (const { table, partition } of due) {
      if (this.#truncates.has(keyOf(table, partition.writtenBy))) continue
      const name = formatTableName(table)
      const known = found.get(name) ?? { table, names: [] }
      known.names.push(formatTableName(partition))
      found.set(name, known)
    }
    return [...found].map(([name, { table, names }]) => ({
      table,
      reason: `${some(names)}: emptied (TRUNCATE of a partition of ${name}, which the log says nothing of) or rewritten (VACUUM FULL, CLUSTER, ALTER TABLE). Where it was emptied, its rows left unseen.`,
    }))
  }
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ')
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} others` : shown
}

function keyOf({ schema, name }: TableName, transaction: string): string {
  return JSON.stringify([schema, name, transaction])
}
