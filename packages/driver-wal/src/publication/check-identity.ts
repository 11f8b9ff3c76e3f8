import { formatTableName, quoteTableName, RowtapError } from '@rowtap/core/driver'
import { fullIdentity } from '../catalog/check-capturable.ts'
import { withoutIdentity } from '../catalog/old-columns.ts'
import type { TableFacts } from '../catalog/table-facts.ts'

/**
 * Refuses to publish a table's updates and deletes where PostgreSQL would refuse them to the application then.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED with the statement that helps.
 */
export function checkIdentity(facts: TableFacts): void {
  const harm = harmOf(facts)
  if (harm !== null) throw setupRequired(`${harm} Or listen to the operations 'insert' and 'truncate' only.`)
  if (facts.kind === 'p' && facts.primaryKey.length === 0) {
    throw setupRequired(
      `${formatTableName(facts)} is partitioned and has no primary key: PostgreSQL would refuse updates and deletes in every partition that is made later. ` +
        `Run: ALTER TABLE ${quoteTableName(facts)} ADD PRIMARY KEY (…) — or listen to the operations 'insert' and 'truncate' only.`,
    )
  }
}

/** Why PostgreSQL refuses updates and deletes of the table as long as they are published, and what helps; otherwise `null`. */
export function harmOf(facts: TableFacts): string | null {
  const name = formatTableName(facts)
  const lacking = withoutIdentity(facts)
  if (lacking !== null) {
    const what = lacking.oid === facts.oid ? `Table ${name}` : `${formatTableName(lacking)}, a partition of ${name},`
    return (
      `${what} has no replica identity (no primary key, for example): as soon as its updates and deletes were published, PostgreSQL would refuse them. ` +
      `Run: ${fullIdentity(lacking)}.`
    )
  }
  const virtual = facts.storage.find((storage) => storage.replicaIdentity === 'f' && storage.hasVirtualColumns)
  if (virtual === undefined) return null
  return (
    `${formatTableName(virtual)} has full replica identity and a virtual generated column: as soon as its updates were published, PostgreSQL would refuse them. ` +
    `Give it the identity of an index (ALTER TABLE … REPLICA IDENTITY DEFAULT).`
  )
}

function setupRequired(message: string): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', { message })
}
