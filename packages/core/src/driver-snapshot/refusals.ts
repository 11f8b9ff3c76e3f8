import type { TableName } from '../contract/table-name.ts'
import { formatTableName, quoteIdentifier, quoteTableName } from '../contract/table-name.ts'
import { RowtapError } from '../rowtap-error.ts'

/** The table, which has so many columns, has nothing to be read in pieces by. */
export function notReadable(table: TableName, columns: number, key: readonly string[] | null): RowtapError {
  const name = formatTableName(table)
  // A listener without a `key`, on a table without a primary key, identifies rows by all of their columns.
  const isDeclared = key !== null && key.length < columns
  const reason = isDeclared
    ? `Table ${name} has no unique index on exactly (${key.map(quoteIdentifier).join(', ')}) whose columns are NOT NULL, in the default order of their types`
    : `Table ${name} has no primary key (a deferrable one is none)`
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message:
      `${reason}, and its rows are read in the order of a key. ` +
      `Run: ALTER TABLE ${quoteTableName(table)} ADD PRIMARY KEY (…) — or name the columns of a unique index, all of them NOT NULL, as the listener's 'key', or leave out 'snapshot'.`,
  })
}

/** The role may not read the table. */
export function notGranted(table: TableName, role: string, cause?: unknown): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `Role ${quoteIdentifier(role)} may not read the rows of ${formatTableName(table)}. Run: GRANT SELECT ON ${quoteTableName(table)} TO ${quoteIdentifier(role)}`,
    cause,
  })
}

/** The role would not be shown every row. */
export function rowsHidden(
  table: TableName & { readonly isOwned: boolean },
  role: string,
  cause?: unknown,
): RowtapError {
  const statement = table.isOwned
    ? `ALTER TABLE ${quoteTableName(table)} NO FORCE ROW LEVEL SECURITY`
    : `ALTER ROLE ${quoteIdentifier(role)} BYPASSRLS`
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `Row-level security would hide rows of ${formatTableName(table)} from role ${quoteIdentifier(role)}: a snapshot would lack them. Run: ${statement}`,
    cause,
  })
}
