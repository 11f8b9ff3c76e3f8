import type { Change } from '../contract/driver.ts'
import type { Tuple } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import type {
  DeliveredEvent,
  DeleteEvent,
  InsertEvent,
  Row,
  SignalEvent,
  SnapshotEvent,
  TruncateEvent,
  UpdateEvent,
} from '../event.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { Projection } from './projection.ts'
import type { RoutedChange } from './routed-change.ts'
import type { Transition } from './transition-of.ts'
import { changedColumns } from './transition-of.ts'

const NONE: readonly never[] = Object.freeze([])

/**
 * The events that one change is for a listener with this projection, to which it is this transition: one, or a delete
 * and an insert where an update changed the key.
 *
 * @throws RowtapError ERR_DECODE where a value cannot be parsed, ERR_SETUP_REQUIRED where a key was not sent.
 */
export function eventsOf(
  routed: RoutedChange,
  projection: Projection,
  transition: Transition,
): readonly [DeliveredEvent, ...DeliveredEvent[]] {
  switch (transition) {
    case 'snapshot':
      return [read(routed, projection)]
    case 'signal':
      return [signal(routed.change)]
    case 'insert':
      return [inserted(routed, projection, null)]
    case 'delete':
      return [deleted(routed, projection, null)]
    case 'truncate':
      return [truncated(routed.change)]
    case 'update':
      return [updated(routed, projection)]
    case 'derived insert':
      return [inserted(routed, projection, 'update')]
    case 'derived delete':
      return [deleted(routed, projection, 'update')]
    case 'derived delete and insert':
      return [deleted(routed, projection, 'update'), inserted(routed, projection, 'update')]
  }
}

function signal(change: Change): SignalEvent {
  return {
    id: change.id,
    kind: 'signal',
    schema: change.relation.schema,
    table: change.relation.name,
    operation: change.kind,
    key: null,
    new: null,
    old: null,
    changed: null,
    unavailable: NONE,
    derivedFrom: null,
    position: change.position,
    transaction: change.transaction,
  }
}

function truncated(change: Change): TruncateEvent {
  return {
    id: change.id,
    kind: 'truncate',
    schema: change.relation.schema,
    table: change.relation.name,
    key: null,
    new: null,
    old: null,
    changed: null,
    unavailable: NONE,
    derivedFrom: null,
    position: change.position,
    transaction: change.transaction,
  }
}

function read(routed: RoutedChange, projection: Projection): SnapshotEvent {
  const { change } = routed
  const tuple = rowOf(routed, routed.after)
  const { row, unavailable } = routed.decode(tuple, projection.columns)
  return {
    id: change.id,
    kind: 'snapshot',
    schema: change.relation.schema,
    table: change.relation.name,
    key: keyOf(routed, tuple, projection, row),
    new: row,
    old: null,
    changed: null,
    unavailable: both(unavailable, NONE),
    derivedFrom: null,
    position: change.position,
    transaction: null,
  }
}

function updated(routed: RoutedChange, projection: Projection): UpdateEvent {
  const { change } = routed
  const tuple = rowOf(routed, routed.after)
  const after = routed.decode(tuple, projection.columns)
  const before = change.old === null ? null : routed.decode(change.old, projection.columns)
  return {
    id: change.id,
    kind: 'update',
    schema: change.relation.schema,
    table: change.relation.name,
    key: keyOf(routed, tuple, projection, after.row),
    new: after.row,
    old: before?.row ?? null,
    changed: changedColumns(routed, projection),
    unavailable: both(after.unavailable, before?.unavailable ?? NONE),
    derivedFrom: null,
    position: change.position,
    transaction: change.transaction,
  }
}

function inserted(routed: RoutedChange, projection: Projection, derivedFrom: 'update' | null): InsertEvent {
  const { change } = routed
  const tuple = rowOf(routed, routed.after)
  const { row, unavailable } = routed.decode(tuple, projection.columns)
  return {
    // Two events of one change have ids of their own.
    id: derivedFrom === null ? change.id : `${change.id}/insert`,
    kind: 'insert',
    schema: change.relation.schema,
    table: change.relation.name,
    key: keyOf(routed, tuple, projection, row),
    new: row,
    old: null,
    changed: null,
    unavailable: both(unavailable, NONE),
    derivedFrom,
    position: change.position,
    transaction: change.transaction,
  }
}

function deleted(routed: RoutedChange, projection: Projection, derivedFrom: 'update' | null): DeleteEvent {
  const { change } = routed
  const tuple = rowOf(routed, routed.before)
  const { row, unavailable } = routed.decode(tuple, projection.columns)
  return {
    // Two events of one change have ids of their own.
    id: derivedFrom === null ? change.id : `${change.id}/delete`,
    kind: 'delete',
    schema: change.relation.schema,
    table: change.relation.name,
    key: keyOf(routed, tuple, projection, row),
    new: null,
    old: row,
    changed: null,
    unavailable: both(unavailable, NONE),
    derivedFrom,
    position: change.position,
    transaction: change.transaction,
  }
}

/** One list that is the event's own, without repetition. */
function both(some: readonly string[], others: readonly string[]): readonly string[] {
  if (some.length === 0 && others.length === 0) return NONE
  return [...new Set([...some, ...others])]
}

/** The key, of the values that the row has. What it lacks, or what `'__proto__'` would not set, is read once more. */
function keyOf(routed: RoutedChange, tuple: Tuple, projection: Projection, row: Row): Row {
  const key: Row = {}
  for (const { name } of projection.key) {
    if (name === '__proto__' || !Object.hasOwn(row, name)) return decodedKey(routed, tuple, projection)
    key[name] = row[name]
  }
  return key
}

function decodedKey(routed: RoutedChange, tuple: Tuple, projection: Projection): Row {
  const { row, unavailable } = routed.decode(tuple, projection.key)
  const [missing] = unavailable
  if (missing !== undefined) throw keyNotSent(routed.change, missing)
  return row
}

/** A transition is made only of rows that are there: see `transitionOf`. */
function rowOf({ change }: RoutedChange, tuple: Tuple | null): Tuple {
  if (tuple !== null) return tuple
  throw new RowtapError('ERR_DRIVER_CONTRACT', {
    message: `The ${change.kind} ${change.id} of table ${formatTableName(change.relation)} lacks a row.`,
    eventId: change.id,
  })
}

function keyNotSent(change: Change, column: string): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message:
      `A ${change.kind} of table ${formatTableName(change.relation)} arrived without the key column ${JSON.stringify(column)}: ` +
      `the table's replica identity no longer covers its key.` +
      (change.relation.oldRowsStatement === null ? '' : ` Run: ${change.relation.oldRowsStatement}`),
    eventId: change.id,
  })
}
