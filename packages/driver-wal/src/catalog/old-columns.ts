import type { StorageFacts, TableFacts } from './table-facts.ts'

/** The columns that the old row of a table's update or delete has, by name. */
export function oldColumns(facts: TableFacts): 'all' | readonly string[] {
  let known: 'all' | readonly string[] = 'all'
  for (const storage of facts.storage) {
    const columns = oldColumnsOf(storage)
    // A row may be in any partition: only what each of them sends can be relied on.
    if (columns === 'all') continue
    known = known === 'all' ? columns : known.filter((name) => columns.includes(name))
  }
  return facts.storage.length === 0 ? facts.primaryKey : known
}

/** Whether the table, or some partition, would refuse updates and deletes as soon as they are published. */
export function withoutIdentity(facts: TableFacts): StorageFacts | null {
  return facts.storage.find((storage) => storage.replicaIdentity !== 'f' && storage.identity === null) ?? null
}

function oldColumnsOf(storage: StorageFacts): 'all' | readonly string[] {
  return storage.replicaIdentity === 'f' ? 'all' : (storage.identity ?? [])
}
