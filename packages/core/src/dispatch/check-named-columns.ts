import type { Relation } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { didYouMean } from '../options/nearest-name.ts'
import { RowtapError } from '../rowtap-error.ts'

/**
 * Refuses a table that no longer has a column that a running listener's `columns` or `key` names: what is renamed cannot
 * be told from what is dropped, and rows without it are not what was asked for.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED
 */
export function checkNamedColumns(relation: Relation, request: ListenRequest): void {
  for (const option of ['columns', 'key'] as const) {
    const gone = request[option]?.find((name) => !relation.columns.some((column) => column.name === name))
    if (gone === undefined) continue
    const hint = didYouMean(
      gone,
      relation.columns.map(({ name }) => name),
    )
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `Table ${formatTableName(relation)} was altered while a listener's '${option}' names its column ${JSON.stringify(gone)}: it is gone (renamed or dropped).${hint} Correct '${option}', and start the listener again.`,
    })
  }
}
