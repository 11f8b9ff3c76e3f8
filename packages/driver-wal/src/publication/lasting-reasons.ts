import { formatTableName } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'
import type { AttachedTable } from './attached-tables.ts'

/** A captured table as a look finds it. */
export interface WatchedTable {
  readonly attached: AttachedTable
  /** As it is now; `null`: it was dropped. */
  readonly facts: TableFacts | null
  /** The object id of the table that is called as it was when it was attached; `null`: none is. */
  readonly named: number | null
  /** Whether it is in a publication of the client. */
  readonly isPublished: boolean
  /** Whether it is below another table that is captured. */
  readonly isPartition: boolean
}

/** Why changes of a table may be missed from now on: a sentence for each reason. */
export function lastingReasons({ attached, facts, named, isPublished, isPartition }: WatchedTable): readonly string[] {
  const name = formatTableName(attached.table)
  const again = 'Stop its listeners, and listen to it again.'
  const reasons: string[] = []
  if (facts === null) {
    // One that is dropped while it is looked at may still have been called so itself.
    const successor =
      named === null || named === attached.oid ? '' : ` A table that was made since is called the same. ${again}`
    return [`Table ${name} was dropped: nothing of it is captured any more.${successor}`]
  }
  if (named !== null && named !== attached.oid) {
    reasons.push(
      `Another table is called ${name} now: the one that is captured as ${name} is called ${formatTableName(facts)}, and changes of the other one are not captured. ${again}`,
    )
  }
  if (!isPublished) {
    reasons.push(`Somebody took ${name} out of the publication: its changes are not captured any more. ${again}`)
  }
  if (isPartition) {
    reasons.push(
      `${name} is a partition of a table that is captured, too: its changes are delivered as changes of that one. Listen to it with another client.`,
    )
  }
  for (const storage of facts.storage) {
    const isLogged = storage.kind === 'r' && storage.persistence === 'p'
    if (isLogged) continue
    const what = storage.kind === 'r' ? 'unlogged' : 'no table of this database'
    reasons.push(
      `${formatTableName(storage)}, a partition of ${name}, is ${what}: its changes are not in the write-ahead log, and so not captured.`,
    )
  }
  return reasons
}
