import { formatTableName, quoteIdentifier, quoteTableName, RowtapError } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'

/** The table has nothing to be read in pieces by. */
export function notReadable(facts: TableFacts, key: readonly string[] | null): RowtapError {
  const name = formatTableName(facts)
  // A listener without a `key`, on a table without a primary key, identifies rows by all of their columns.
  const isDeclared = key !== null && key.length < facts.columns.length
  const reason = isDeclared
    ? `Table ${name} has no unique index on exactly (${key.map(quoteIdentifier).join(', ')}) whose columns are NOT NULL, in the default order of their types`
    : `Table ${name} has no primary key (a deferrable one is none)`
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message:
      `${reason}, and its rows are read in the order of a key. ` +
      `Run: ALTER TABLE ${quoteTableName(facts)} ADD PRIMARY KEY (…) — or name the columns of a unique index, all of them NOT NULL, as the listener's 'key', or leave out 'snapshot'.`,
  })
}

/** The role may not read the table. */
export function notGranted(facts: TableFacts, user: string, cause?: unknown): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `Role ${quoteIdentifier(user)} may not read the rows of ${formatTableName(facts)}. Run: GRANT SELECT ON ${quoteTableName(facts)} TO ${quoteIdentifier(user)}`,
    cause,
  })
}

/** The role would not be shown every row. */
export function rowsHidden(facts: TableFacts, user: string, cause?: unknown): RowtapError {
  const statement = facts.isOwned
    ? `ALTER TABLE ${quoteTableName(facts)} NO FORCE ROW LEVEL SECURITY`
    : `ALTER ROLE ${quoteIdentifier(user)} BYPASSRLS`
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `Row-level security would hide rows of ${formatTableName(facts)} from role ${quoteIdentifier(user)}: a snapshot would lack them. Run: ${statement}`,
    cause,
  })
}
