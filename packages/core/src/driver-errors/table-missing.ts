import type { TableName } from '../contract/table-name.ts'
import { formatTableName } from '../contract/table-name.ts'
import { nearestTable } from '../options/nearest-name.ts'
import { RowtapError } from '../rowtap-error.ts'

/**
 * The error for a table that does not exist, with the name that was probably meant.
 *
 * @param database the name of the database that was looked in.
 * @param others the tables that there are, those of the table's own schema first.
 */
export function tableMissing(table: TableName, database: string, others: readonly TableName[]): RowtapError {
  const near = nearestTable(table, others)
  const hint = near === null ? 'Create it, or correct the name.' : `Did you mean ${formatTableName(near)}?`
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `There is no table ${formatTableName(table)} in database ${JSON.stringify(database)}. ${hint}`,
  })
}
