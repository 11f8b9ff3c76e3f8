import { formatTableName, quoteIdentifier, quoteTableName, RowtapError } from '@rowtap/core/driver'
import type { TableFacts } from './table-facts.ts'

/** The table has nothing to be read in pieces by. */
export function notReadable(facts: TableFacts, key: readonly string[] | null): RowtapError {
  const name = formatTableName(facts)
  // A listener without a `key`, on a table without a primary key, identifies rows by all of their columns.
  const isDeclared = key !== null && key.length < facts.content.columns.length
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
export function notGranted(facts: TableFacts, cause?: unknown): RowtapError {
  const role = quoteIdentifier(facts.role)
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `Role ${role} may not read the rows of ${formatTableName(facts)}. Run: GRANT SELECT ON ${quoteTableName(facts)} TO ${role}`,
    cause,
  })
}

/** The role would not be shown every row. */
export function rowsHidden(facts: TableFacts, cause?: unknown): RowtapError {
  const role = quoteIdentifier(facts.role)
  const statement = facts.isOwned
    ? `ALTER TABLE ${quoteTableName(facts)} NO FORCE ROW LEVEL SECURITY`
    : `ALTER ROLE ${role} BYPASSRLS`
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `Row-level security would hide rows of ${formatTableName(facts)} from role ${role}: a snapshot would lack them. Run: ${statement}`,
    cause,
  })
}
