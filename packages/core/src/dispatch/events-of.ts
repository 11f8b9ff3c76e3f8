import type { Change } from '../contract/driver.ts'
import type { Tuple } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { ChangeEvent, DeleteEvent, InsertEvent, Row } from '../event.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { ProjectedColumn, Projection } from './projection.ts'

const NONE: readonly never[] = []

/**
 * The events that one change is for a listener with this projection: usually one; none for an update that changes
 * nothing it asked for; a delete and an insert for an update that changes the key.
 *
 * @throws RowtapError ERR_DECODE where a value cannot be parsed, ERR_DRIVER_CONTRACT where a row is missing.
 */
export function eventsOf(change: Change, projection: Projection): readonly ChangeEvent[] {
  switch (change.kind) {
    case 'insert':
      return [inserted(change, projection, given(change, change.new), null)]
    case 'delete':
      return [deleted(change, projection, given(change, change.old), null)]
    case 'truncate':
      return [
        {
          ...base(change),
          kind: 'truncate',
          key: null,
          new: null,
          old: null,
          changed: null,
          unavailable: NONE,
          derivedFrom: null,
        },
      ]
    case 'update':
      return updated(change, projection)
  }
}

function updated(change: Change, projection: Projection): readonly ChangeEvent[] {
  const { old } = change
  // A large value that the update left alone is not sent again: where the old row is whole, it is there.
  const row = old === null ? given(change, change.new) : new FilledTuple(given(change, change.new), old)
  if (old !== null && projection.key.some((column) => differs(row, old, column))) {
    return [deleted(change, projection, old, 'update'), inserted(change, projection, row, 'update')]
  }
  const changed = changedColumns(row, old, projection)
  if (projection.onlyChanged && changed?.length === 0) return NONE
  const unavailable: string[] = []
  const newRow = decode(change, row, projection.columns, unavailable)
  const oldRow = old === null ? null : decode(change, old, projection.columns, unavailable)
  const key = decode(change, row, projection.key, null)
  return [{ ...base(change), kind: 'update', key, new: newRow, old: oldRow, changed, unavailable, derivedFrom: null }]
}

function inserted(change: Change, projection: Projection, tuple: Tuple, derivedFrom: 'update' | null): InsertEvent {
  const unavailable: string[] = []
  const key = decode(change, tuple, projection.key, null)
  const row = decode(change, tuple, projection.columns, unavailable)
  return {
    ...base(change, derivedFrom && 'insert'),
    kind: 'insert',
    key,
    new: row,
    old: null,
    changed: null,
    unavailable,
    derivedFrom,
  }
}

function deleted(change: Change, projection: Projection, tuple: Tuple, derivedFrom: 'update' | null): DeleteEvent {
  const unavailable: string[] = []
  const key = decode(change, tuple, projection.key, null)
  const row = decode(change, tuple, projection.columns, unavailable)
  return {
    ...base(change, derivedFrom && 'delete'),
    kind: 'delete',
    key,
    new: null,
    old: row,
    changed: null,
    unavailable,
    derivedFrom,
  }
}

/** The fields that events of every kind share. One change that becomes two events gives each an id of its own. */
function base(
  change: Change,
  half: 'insert' | 'delete' | null = null,
): Pick<InsertEvent, 'id' | 'schema' | 'table' | 'position' | 'transaction'> {
  const { schema, name } = change.relation
  const id = half === null ? change.id : `${change.id}/${half}`
  return { id, schema, table: name, position: change.position, transaction: change.transaction }
}

/** The names of the columns that differ, compared as PostgreSQL prints them; `null` where the old row is not known. */
function changedColumns(row: Tuple, old: Tuple | null, projection: Projection): string[] | null {
  if (!projection.knowsChanges) return null
  // An update comes without an old row only where none of the columns that an old row has were changed.
  if (old === null) return []
  return projection.columns.filter((column) => differs(row, old, column)).map((column) => column.name)
}

function differs(row: Tuple, old: Tuple, column: ProjectedColumn): boolean {
  const before = old.text(column.index)
  return before !== undefined && before !== row.text(column.index)
}

/** Builds the object. Columns that were not sent are left out of it and added to `unavailable`. */
function decode(change: Change, tuple: Tuple, columns: readonly ProjectedColumn[], unavailable: string[] | null): Row {
  const row: Row = {}
  for (const column of columns) {
    const text = tuple.text(column.index)
    if (text === undefined) {
      if (unavailable === null) throw keyNotSent(change, column)
      if (!unavailable.includes(column.name)) unavailable.push(column.name)
    } else if (column.name === '__proto__') {
      Object.defineProperty(row, column.name, {
        value: parse(change, column, text),
        enumerable: true,
        writable: true,
        configurable: true,
      })
    } else {
      row[column.name] = parse(change, column, text)
    }
  }
  return row
}

function parse(change: Change, column: ProjectedColumn, text: string | null): unknown {
  if (text === null) return null
  try {
    return column.parse(text)
  } catch (cause) {
    throw new RowtapError('ERR_DECODE', {
      message: `The parser of type ${column.typeName} failed on column ${JSON.stringify(column.name)} of table ${formatTableName(change.relation)}, at position ${change.position}.`,
      cause,
      eventId: change.id,
    })
  }
}

function given(change: Change, tuple: Tuple | null): Tuple {
  if (tuple !== null) return tuple
  throw new RowtapError('ERR_DRIVER_CONTRACT', {
    message: `The driver delivered ${change.kind} ${change.id} of table ${formatTableName(change.relation)} without its row.`,
    eventId: change.id,
  })
}

function keyNotSent(change: Change, column: ProjectedColumn): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message:
      `A ${change.kind} of table ${formatTableName(change.relation)} arrived without the key column ${JSON.stringify(column.name)}: ` +
      `the table's replica identity no longer covers its key.` +
      (change.relation.oldRowsStatement === null ? '' : ` Run: ${change.relation.oldRowsStatement}`),
    eventId: change.id,
  })
}

/** A new row whose missing values are taken from the old one. */
class FilledTuple implements Tuple {
  readonly #row: Tuple
  readonly #old: Tuple

  constructor(row: Tuple, old: Tuple) {
    this.#row = row
    this.#old = old
  }

  text(index: number): string | null | undefined {
    const text = this.#row.text(index)
    return text === undefined ? this.#old.text(index) : text
  }
}
