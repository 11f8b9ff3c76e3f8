import type { TableName } from '@rowtap/core/driver'
import { formatTableName, quoteIdentifier, quoteTableName, RowtapError } from '@rowtap/core/driver'
import type { TableFacts } from './table-facts.ts'

const KINDS: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
  t: 'a TOAST table',
}

/**
 * Refuses what the write-ahead log does not hold, or a publication does not take.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED with the reason.
 */
export function checkCapturable(facts: TableFacts): void {
  const name = formatTableName(facts)
  if (facts.isSystem) throw setupRequired(`${name} belongs to PostgreSQL itself, whose tables cannot be captured.`)
  const kind = KINDS[facts.kind]
  if (kind !== undefined) throw setupRequired(`${name} is ${kind}: only tables can be captured.`)
  for (const storage of facts.storage) {
    const what = storage.oid === facts.oid ? name : `${formatTableName(storage)}, a partition of ${name},`
    if (storage.kind !== 'r')
      throw setupRequired(
        `${what} is ${KINDS[storage.kind] ?? 'no table'}: its changes are not in the write-ahead log.`,
      )
    if (storage.persistence === 't')
      throw setupRequired(`${what} is temporary: its changes are not in the write-ahead log.`)
    if (storage.persistence === 'u') {
      throw setupRequired(
        `${what} is unlogged: its changes are not in the write-ahead log. Run: ALTER TABLE ${quoteTableName(storage)} SET LOGGED`,
      )
    }
  }
}

/**
 * Refuses a table that belongs to someone else, as only its owner may add it to a publication, or whose schema the role
 * may not use.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED with the statement that helps.
 */
export function checkOwned(facts: TableFacts, user: string): void {
  if (facts.isOwned) return checkSchema(facts, user)
  // To act as a superuser is more than any table is worth.
  const statement = facts.ownerIsSuperuser
    ? `ALTER TABLE ${quoteTableName(facts)} OWNER TO ${quoteIdentifier(user)}`
    : `GRANT ${quoteIdentifier(facts.owner)} TO ${quoteIdentifier(user)}`
  throw setupRequired(
    `Role ${quoteIdentifier(user)} may not publish the changes of ${formatTableName(facts)}: only its owner ${quoteIdentifier(facts.owner)} may. ` +
      `Run: ${statement}`,
  )
}

function checkSchema(facts: TableFacts, user: string): void {
  if (facts.schemaIsOpen) return
  const schema = quoteIdentifier(facts.schema)
  throw setupRequired(
    `Role ${quoteIdentifier(user)} may not use schema ${schema}, which ${formatTableName(facts)} is in. ` +
      `Run: GRANT USAGE ON SCHEMA ${schema} TO ${quoteIdentifier(user)}`,
  )
}

/** The statements that give a table's changes their whole old row; `null` where there are none that do no harm. */
export function oldRowsStatement(facts: TableFacts): string | null {
  // With full identity PostgreSQL would refuse updates of a table that has a virtual generated column.
  if (facts.storage.some((storage) => storage.hasVirtualColumns)) return null
  const lacking = facts.storage.filter((storage) => storage.replicaIdentity !== 'f')
  if (lacking.length === 0) return facts.storage.length === 0 ? fullIdentity(facts) : null
  // The setting of a partitioned table is not handed down to partitions that exist.
  return lacking.map(fullIdentity).join('; ')
}

/** The statement that makes the whole row a table's identity. */
export function fullIdentity(table: TableName): string {
  return `ALTER TABLE ${quoteTableName(table)} REPLICA IDENTITY FULL`
}

function setupRequired(message: string): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', { message })
}
