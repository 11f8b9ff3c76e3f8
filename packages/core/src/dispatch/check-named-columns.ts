import type { Relation } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { didYouMean } from '../options/nearest-name.ts'
import { RowtapError } from '../rowtap-error.ts'
import { columnNames } from './column-names.ts'
import type { ListenerCondition } from './listener-condition.ts'

/**
 * Refuses a table that no longer has a column that a running listener's `columns` or `key` names: what is renamed cannot
 * be told from what is dropped, and rows without it are not what was asked for. Nor are rows in which another column has
 * the name of one that `columns`, `key` or `where` names.
 *
 * @param before the table as it was when the listener was attached
 * @throws RowtapError ERR_SETUP_REQUIRED
 */
export function checkNamedColumns(
  relation: Relation,
  request: ListenRequest,
  where: ListenerCondition | null,
  before: Relation,
): void {
  if (relation === before) return
  for (const option of ['columns', 'key'] as const) {
    for (const name of request[option] ?? []) {
      if (!relation.columns.some((column) => column.name === name)) throw columnGone(relation, option, name)
      if (isAnother(relation, before, name)) throw anotherColumn(relation, option, name)
    }
  }
  const another = where === null ? undefined : columnNames(where.tree).find((name) => isAnother(relation, before, name))
  if (another !== undefined) throw anotherColumn(relation, 'where', another)
}

function isAnother(relation: Relation, before: Relation, name: string): boolean {
  const now = numberOf(relation, name)
  const then = numberOf(before, name)
  return now !== undefined && then !== undefined && now !== then
}

function numberOf({ columns }: Relation, name: string): number | undefined {
  return columns.find((column) => column.name === name)?.number
}

function columnGone(relation: Relation, option: string, name: string): RowtapError {
  const hint = didYouMean(
    name,
    relation.columns.map((column) => column.name),
  )
  return altered(relation, option, name, `it is gone (renamed or dropped).${hint}`)
}

function anotherColumn(relation: Relation, option: string, name: string): RowtapError {
  return altered(relation, option, name, 'another column has that name now (the one before was renamed or dropped).')
}

function altered(relation: Relation, option: string, name: string, what: string): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `Table ${formatTableName(relation)} was altered while a listener's '${option}' names its column ${JSON.stringify(name)}: ${what} Correct '${option}', and start the listener again.`,
  })
}
