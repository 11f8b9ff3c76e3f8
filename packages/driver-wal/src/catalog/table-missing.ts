import type { RowtapError, TableName } from '@rowtap/core/driver'
import { tableMissing as missing } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { TABLE_NAMES } from './table-sql.ts'

/** The error for a table that does not exist, with the name that was probably meant. */
export async function tableMissing(control: ControlConnection, table: TableName): Promise<RowtapError> {
  const rows = await control.query<'schema' | 'name'>(TABLE_NAMES, [table.schema])
  const names = rows.map((row) => ({ schema: row.schema ?? '', name: row.name ?? '' }))
  return missing(table, control.database, names)
}
