import type { Capabilities, CapabilityName } from '../capabilities/capabilities.ts'
import { cellOf } from '../capabilities/capabilities.ts'
import { toSql } from '../conditions/to-sql.ts'
import type { TablePushdown } from '../contract/driver.ts'
import type { Binding } from '../dispatch/binding.ts'
import type { ListenerCondition } from '../dispatch/listener-condition.ts'
import { isInOldRow } from '../dispatch/projection.ts'
import { conditionCells } from '../options/check-condition.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import type { PlannedListener, PlannedPart } from './plan.ts'

/** A listener whose wishes are resolved against its table. */
export interface ListenerToPlan {
  readonly capabilities: Capabilities
  readonly request: ListenRequest
  readonly condition: ListenerCondition | null
  readonly binding: Binding
  readonly isAttached: boolean
  /** What the database leaves out of the table; `null`: nothing. */
  readonly pushdown: TablePushdown | null
}

/** Says of a listener what would be done where, and why. */
export function plannedListener(listener: ListenerToPlan): PlannedListener {
  const { request, condition, binding, isAttached } = listener
  const { relation, projection } = binding
  return {
    isAttached,
    table: { schema: request.table.schema, name: request.table.name },
    operations: [...request.operations],
    rows: request.rows,
    columns: projection.columns
      .filter(({ index }) => relation.columns[index]?.neverSent === null)
      .map(({ name }) => name),
    key: projection.key.map(({ name }) => name),
    where: condition === null ? null : toSql(condition.tree, relation.columns, condition.constants),
    transitions: request.transitions,
    oldRow: {
      columns:
        relation.oldColumns === 'all'
          ? 'all'
          : relation.columns.filter((_, index) => isInOldRow(relation, index)).map(({ name }) => name),
      statement: relation.oldRowsStatement,
    },
    parts: [
      operationsPart(listener),
      ...(request.rows ? [] : [rowsPart(listener)]),
      ...(condition === null ? [] : [conditionPart(listener, condition)]),
      ...(request.columns === null ? [] : [columnsPart(listener)]),
      ...(request.rows && request.operations.has('update') ? [keyPart(listener)] : []),
      ...(condition !== null && request.operations.has('update') ? [transitionsPart(listener)] : []),
      ...(request.snapshot ? [snapshotPart(listener)] : []),
    ],
  }
}

function operationsPart({ capabilities, request }: ListenerToPlan): PlannedPart {
  const where = placeOf(
    capabilities,
    [...request.operations].map((operation) => `operations.${operation}` as const),
  )
  return {
    what: 'operations',
    where,
    why:
      where === 'database'
        ? 'PostgreSQL hands these operations to the driver; those that come with them unasked are left out in the process.'
        : 'The driver finds out in the process which operations there were.',
  }
}

function rowsPart({ capabilities }: ListenerToPlan): PlannedPart {
  const where = placeOf(capabilities, ['listeners.withoutRows'])
  return {
    what: 'rows',
    where,
    why:
      where === 'database'
        ? 'PostgreSQL tells only that there were changes, unless another listener of the table wants rows.'
        : `The driver '${capabilities.driver}' hands over the rows, none of which is decoded.`,
  }
}

function conditionPart({ capabilities, pushdown }: ListenerToPlan, { tree }: ListenerCondition): PlannedPart {
  if (pushdown?.rows === true) {
    const why =
      'PostgreSQL leaves out the rows that no listener of the table wants; which of the others are this one’s is found out in the process.'
    return { what: 'condition', where: 'database', why }
  }
  const where = placeOf(capabilities, conditionCells(tree))
  return {
    what: 'condition',
    where,
    why:
      where === 'database'
        ? 'PostgreSQL tests the condition, so that other rows do not leave it.'
        : `The driver '${capabilities.driver}' hands over every changed row, and the condition is tested before a row is decoded.${because(pushdown)}`,
  }
}

function columnsPart({ capabilities, request, binding, pushdown }: ListenerToPlan): PlannedPart {
  if (pushdown?.columns === true && !request.operations.has('update')) {
    const why =
      'PostgreSQL leaves out the columns that no listener of the table needs; which of the others are this one’s is found out in the process.'
    return { what: 'columns', where: 'database', why }
  }
  const where = placeOf(capabilities, ['columns.projection', 'columns.onlyChanged'])
  const projected =
    where === 'database'
      ? 'PostgreSQL hands over these columns only'
      : pushdown?.columns === true
        ? 'PostgreSQL leaves out the columns that no listener of the table needs, and which of the others are this one’s is found out in the process'
        : `The driver '${capabilities.driver}' may hand over more columns, of which only these are decoded`
  if (!request.operations.has('update')) return { what: 'columns', where, why: `${projected}.${because(pushdown)}` }
  const changed = binding.projection.knowsChanges
    ? 'an update that changes none of them is left out'
    : 'as their old values are not known, an update that changes none of them is delivered, too'
  return { what: 'columns', where, why: `${projected}; ${changed}.${because(pushdown)}` }
}

function keyPart({ capabilities }: ListenerToPlan): PlannedPart {
  const where = placeOf(capabilities, ['keys.change'])
  return {
    what: 'key change',
    where,
    why: `The key in the old row is compared with the new one ${where === 'database' ? 'by PostgreSQL' : 'in the process'}: an update that changes it is a delete and an insert.`,
  }
}

function transitionsPart({ capabilities, request, binding }: ListenerToPlan): PlannedPart {
  const known = (binding.condition?.columns ?? []).every((index) => isInOldRow(binding.relation, index))
  return {
    what: 'transitions',
    where: placeOf(capabilities, [`transitions.${request.transitions}`]),
    why: known
      ? 'The old row has every column of the condition: an update into it is an insert, and one out of it a delete.'
      : 'The old row lacks columns of the condition: an update may be of a row that was not in it, and so may a delete.',
  }
}

function snapshotPart({ capabilities, binding }: ListenerToPlan): PlannedPart {
  const key = binding.projection.key.map(({ name }) => name).join(', ')
  return {
    what: 'snapshot',
    where: placeOf(capabilities, ['snapshot.initial']),
    why: `The rows that are there are read first, in pieces and in the order of the key (${key}); what a piece has seen of the changes is left out of them in the process.`,
  }
}

/** Why the database does not do more, as a sentence that follows another one. */
function because(pushdown: TablePushdown | null): string {
  return pushdown === null || pushdown.why === null ? '' : ` ${pushdown.why}`
}

/** What is not wholly done in the database is done in the process. */
function placeOf(capabilities: Capabilities, names: readonly CapabilityName[]): PlannedPart['where'] {
  return names.every((name) => cellOf(capabilities, name) === 'database') ? 'database' : 'process'
}
