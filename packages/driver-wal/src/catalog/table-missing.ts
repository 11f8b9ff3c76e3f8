import type { TableName } from '@rowtap/core/driver'
import { formatTableName, RowtapError } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { TABLE_NAMES } from './table-sql.ts'

/** The error for a table that does not exist, with the name that was probably meant. */
export async function tableMissing(control: ControlConnection, table: TableName): Promise<RowtapError> {
  const rows = await control.query<'schema' | 'name'>(TABLE_NAMES, [table.schema])
  const names = rows.map((row) => ({ schema: row.schema ?? '', name: row.name ?? '' }))
  const near = nearest(table, names)
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message:
      `There is no table ${formatTableName(table)} in database ${JSON.stringify(control.database)}.` +
      (near === null ? '' : ` Did you mean ${formatTableName(near)}?`),
  })
}

/** The table that is most likely meant: the same name elsewhere, or one of which few letters differ. */
export function nearest(table: TableName, candidates: readonly TableName[]): TableName | null {
  const limit = Math.max(1, Math.floor(table.name.length / 3))
  let best: TableName | null = null
  let bestDistance = limit + 1
  for (const candidate of candidates) {
    // Another schema counts as half a letter, so that of equally near names the one in the same schema wins.
    const elsewhere = candidate.schema === table.schema ? 0 : 0.5
    const distance = editDistance(table.name.toLowerCase(), candidate.name.toLowerCase()) + elsewhere
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** How many letters to insert, remove or replace to get from one text to the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const current = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
