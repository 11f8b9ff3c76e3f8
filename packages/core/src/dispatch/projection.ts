import type { Relation } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import { invalidOptions } from '../options/check-option-names.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { didYouMean } from '../options/nearest-name.ts'
import { RowtapError } from '../rowtap-error.ts'
import { checkSent } from './never-sent.ts'

/** A column by its index in the relation. */
export interface ProjectedColumn {
  readonly name: string
  readonly index: number
}

/** What one listener takes from one shape of its table: resolved once, used for each change. */
export interface Projection {
  /** The columns that rows hold, in the table's order. */
  readonly columns: readonly ProjectedColumn[]
  /** The columns that identify a row. */
  readonly key: readonly ProjectedColumn[]
  /** Whether every one of `columns` that changes hold is in the old row, so that what changed is known exactly. */
  readonly knowsChanges: boolean
  /** Whether an update that changes none of `columns` is left out. */
  readonly onlyChanged: boolean
}

/** What a listener without rows takes. */
export const NO_COLUMNS: Projection = { columns: [], key: [], knowsChanges: false, onlyChanged: false }

/**
 * Resolves a listener's wishes against a table.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS for a column that is not there, ERR_SETUP_REQUIRED where the table
 *   gives less of the old row than the listener needs.
 */
export function projection(relation: Relation, request: ListenRequest): Projection {
  const all = relation.columns.map(({ name }, index): ProjectedColumn => ({ name, index }))
  const columns = request.columns === null ? all : select(relation, all, request.columns, 'columns')
  const key = keyColumns(relation, all, request)
  const knowsChanges = columns.every(({ index }) => isInOldRow(relation, index) || isNeverSent(relation, index))
  if (request.operations.has('update') || request.operations.has('delete')) {
    if (!key.every(({ index }) => isInOldRow(relation, index))) throw keyUnknown(relation, key, request)
    const needsChanges = request.columns !== null && request.operations.has('update') && request.transitions === 'exact'
    if (needsChanges && !knowsChanges) throw changesUnknown(relation)
  }
  return { columns, key, knowsChanges, onlyChanged: request.columns !== null }
}

/** Whether the old row of an update or delete has a column. */
export function isInOldRow(relation: Relation, index: number): boolean {
  return relation.oldColumns === 'all' || relation.oldColumns.includes(index)
}

function isNeverSent(relation: Relation, index: number): boolean {
  return typeof relation.columns[index]?.neverSent === 'string'
}

function keyColumns(
  relation: Relation,
  all: readonly ProjectedColumn[],
  request: ListenRequest,
): readonly ProjectedColumn[] {
  if (request.key !== null) return select(relation, all, request.key, 'key')
  // What is never sent follows from the other columns.
  if (relation.primaryKey.length === 0) return all.filter(({ index }) => !isNeverSent(relation, index))
  return relation.primaryKey.flatMap((index) => all[index] ?? [])
}

function select(
  relation: Relation,
  all: readonly ProjectedColumn[],
  names: readonly string[],
  option: 'columns' | 'key',
): readonly ProjectedColumn[] {
  for (const name of names) {
    if (!all.some((column) => column.name === name)) {
      const known = all.map((column) => column.name)
      throw invalidOptions(
        `Table ${formatTableName(relation)} has no column ${JSON.stringify(name)} (named in '${option}').${didYouMean(name, known)}`,
      )
    }
  }
  checkSent(relation, names, option)
  return all.filter((column) => names.includes(column.name))
}

function keyUnknown(relation: Relation, key: readonly ProjectedColumn[], request: ListenRequest): RowtapError {
  const table = formatTableName(relation)
  const reason =
    request.key === null && relation.primaryKey.length === 0
      ? `Table ${table} has no primary key (a deferrable one is none), and its updates and deletes do not carry the old row`
      : `Updates and deletes of table ${table} do not carry the old value of its key (${key.map((column) => column.name).join(', ')})`
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `${reason}. ${wayOut(relation)}listen to the operations 'insert' and 'truncate' only.`,
  })
}

function changesUnknown(relation: Relation): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message:
      `Updates of table ${formatTableName(relation)} do not carry the whole old row, so it is not known whether one of 'columns' changed. ` +
      `${wayOut(relation)}set transitions to 'idempotent' to get every update.`,
  })
}

/** The beginning of a sentence that says how the old rows can be had, to be followed by what else can be done. */
export function wayOut(relation: Relation): string {
  return relation.oldRowsStatement === null ? 'A way out: ' : `Run: ${relation.oldRowsStatement} — or `
}
