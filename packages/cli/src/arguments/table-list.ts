import type { TableName } from '@rowtap/core'
import { formatTableName, parseTableName, RowtapError } from '@rowtap/core'

import { UsageError } from '../failure/usage-error.ts'

/**
 * Adds one `--table` to those before it; one that is named twice is listened to once.
 *
 * @throws UsageError where the text is not a table's name.
 */
export function addTable(text: string, tables: readonly TableName[] = []): readonly TableName[] {
  const table = readTable(text)
  const name = formatTableName(table)
  return tables.some((other) => formatTableName(other) === name) ? tables : [...tables, table]
}

function readTable(text: string): TableName {
  try {
    return parseTableName(text)
  } catch (error) {
    if (RowtapError.is(error, 'ERR_INVALID_OPTIONS'))
      throw new UsageError(`--table: ${error.message}`, { cause: error })
    throw error
  }
}
