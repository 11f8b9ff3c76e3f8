import type { CompiledCondition } from '../conditions/compile-condition.ts'
import { compileCondition } from '../conditions/compile-condition.ts'
import { typeAlteration } from '../conditions/type-alteration.ts'
import type { Relation } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { RowtapError } from '../rowtap-error.ts'
import { columnNames } from './column-names.ts'
import type { ListenerCondition } from './listener-condition.ts'
import { checkConditionSent } from './never-sent.ts'
import type { Projection } from './projection.ts'
import { isInOldRow, NO_COLUMNS, projection, wayOut } from './projection.ts'

/** A listener's wishes, resolved against one shape of its table. */
export interface Binding {
  readonly relation: Relation
  readonly projection: Projection
  /** `null`: every row is wanted. */
  readonly condition: CompiledCondition | null
}

/**
 * Resolves a listener's wishes against its table, and refuses what the table cannot give.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS, ERR_CAPABILITY_UNSUPPORTED, ERR_SETUP_REQUIRED
 */
export function bindListener(relation: Relation, request: ListenRequest, where: ListenerCondition | null): Binding {
  if (!request.rows) return { relation, projection: NO_COLUMNS, condition: null }
  const bound = projection(relation, request)
  if (where === null) return { relation, projection: bound, condition: null }
  checkUnaltered(relation, where)
  checkConditionSent(relation, where.tree)
  const condition = compiled(relation, where)
  checkRows(relation, request, condition)
  return { relation, projection: bound, condition }
}

/** A condition's constants were read for the types that its columns had then. */
function checkUnaltered(relation: Relation, where: ListenerCondition): void {
  const types = new Map(relation.columns.map(({ name, type }) => [name, type]))
  for (const name of columnNames(where.tree)) {
    const before = where.types.get(name)
    const type = types.get(name)
    if (before === undefined || before === type) continue
    const alteration = type === undefined ? 'it is gone' : typeAlteration(before, type)
    if (alteration !== null) throw altered(relation, `its column ${JSON.stringify(name)}: ${alteration}.`)
  }
}

/** What could be compiled for the types that the columns had, and cannot for those that they have now, is another thing now. */
function compiled(relation: Relation, where: ListenerCondition): CompiledCondition {
  try {
    return compileCondition(where.tree, relation.columns, where.constants, relation)
  } catch (error) {
    const isSame = relation.columns.every(({ name, type }) => where.types.get(name) === type)
    if (isSame || !RowtapError.is(error)) throw error
    throw altered(relation, `columns that now have another collation. ${error.message.split('\n', 1).join()}`, error)
  }
}

function altered(relation: Relation, what: string, cause?: unknown): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `Table ${formatTableName(relation)} was altered while a listener's 'where' names ${what} Correct 'where' if need be, and start the listener again.`,
    cause,
  })
}

/** Refuses a condition on values that an update or delete may come without. */
function checkRows(relation: Relation, request: ListenRequest, condition: CompiledCondition): void {
  const missing = condition.columns.filter((index) => !isInOldRow(relation, index))
  const large = missing.filter((index) => relation.columns[index]?.mayBeUnavailable === true)
  if (request.operations.has('update') && large.length > 0) throw valuesUnavailable(relation, large, request)
  const needsOldRow = request.operations.has('update') || request.operations.has('delete')
  if (needsOldRow && request.transitions === 'exact' && missing.length > 0) throw oldValuesUnknown(relation, missing)
}

function valuesUnavailable(
  relation: Relation,
  columns: readonly number[],
  { transitions }: ListenRequest,
): RowtapError {
  // Without updates, and with deletes, it would be refused for the old row that exact transitions need.
  const rest =
    transitions === 'exact' ? `to the operations 'insert' and 'truncate' only` : `without the operation 'update'`
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message:
      `An update of table ${formatTableName(relation)} may come without the value of ${listed(relation, columns)} (a large value that it left alone), which 'where' needs. ` +
      `${wayOut(relation)}listen ${rest}.`,
  })
}

function oldValuesUnknown(relation: Relation, columns: readonly number[]): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message:
      `Updates and deletes of table ${formatTableName(relation)} do not carry the old value of ${listed(relation, columns)}, so it is not known whether 'where' was true of the row before. ` +
      `${wayOut(relation)}set transitions to 'idempotent', or listen to the operations 'insert' and 'truncate' only.`,
  })
}

function listed(relation: Relation, columns: readonly number[]): string {
  return columns.map((index) => JSON.stringify(relation.columns[index]?.name)).join(', ')
}
