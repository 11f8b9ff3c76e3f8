import type { PlannedStatement } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import { inTransaction } from '../publication/transaction-statements.ts'
import { fullIdentity } from './check-capturable.ts'
import type { StorageFacts, TableFacts } from './table-facts.ts'

/**
 * What of a table has to be altered so that its changes have their whole old row: itself, or its partitions, to which
 * the setting is not handed down. One with a virtual generated column is left as it is: with full identity PostgreSQL
 * would refuse its updates.
 */
export function lackingFullIdentity(facts: TableFacts): readonly StorageFacts[] {
  return facts.storage.filter(
    (storage) => storage.kind === 'r' && storage.replicaIdentity !== 'f' && !storage.hasVirtualColumns,
  )
}

/** The table as it is once that is done. */
export function withFullIdentity(facts: TableFacts): TableFacts {
  const lacking = lackingFullIdentity(facts)
  if (lacking.length === 0) return facts
  const storage = facts.storage.map((one) =>
    lacking.includes(one) ? { ...one, replicaIdentity: 'f', identity: null } : one,
  )
  return { ...facts, storage }
}

/**
 * The statements that do it for one table or partition: one transaction. The lock keeps everybody out; so it is waited
 * for no longer than readers and writers can be made to wait behind it.
 */
export function fullIdentityStatements(storage: StorageFacts): readonly PlannedStatement[] {
  return inTransaction([
    {
      sql: `SET LOCAL lock_timeout = '100ms'`,
      purpose: 'Waits for the lock on the table for a moment only; then the transaction is tried again.',
      table: null,
    },
    {
      sql: fullIdentity(storage),
      purpose: `Has updates and deletes of ${formatTableName(storage)} carry the whole old row, as replicaIdentity: 'full' asks for. It stays so.`,
      table: { schema: storage.schema, name: storage.name },
    },
  ])
}
