/**
 * Where a capability is provided.
 *
 * - `'database'`: inside PostgreSQL; what is not wanted does not leave it.
 * - `'process'`: by this library, in the program's own process.
 * - `false`: not at all. The option that asks for it does not compile, and is refused at run time.
 */
export type Cell = 'database' | 'process' | false

/** A statement's effect on rows of a table. */
export type Operation = 'insert' | 'update' | 'delete' | 'truncate'

/** Every operation, in the order in which tables and documents list them. */
export const OPERATIONS: readonly ['insert', 'update', 'delete', 'truncate'] = [
  'insert',
  'update',
  'delete',
  'truncate',
]

/**
 * What a driver can do: its manifest, the only source of truth about it.
 *
 * The types, the run-time refusals, the conformance suite, `rowtap capabilities` and the README's
 * table are all derived from it. Each cell answers the question in its comment.
 */
export interface Capabilities {
  /** The driver's name, as it appears in messages: `'wal'`. */
  readonly driver: string

  readonly operations: {
    /** Is a new row delivered? */
    readonly insert: Cell
    /** Is a changed row delivered? */
    readonly update: Cell
    /** Is a removed row delivered? */
    readonly delete: Cell
    /** Is the emptying of a table delivered? */
    readonly truncate: Cell
  }

  readonly conditions: {
    /** Can a listener ask for some rows only (`where`)? */
    readonly where: Cell
    /** Can a condition use `=`? */
    readonly eq: Cell
    /** Can a condition use `<>`? */
    readonly neq: Cell
    /** Can a condition use `<`? */
    readonly lt: Cell
    /** Can a condition use `<=`? */
    readonly lte: Cell
    /** Can a condition use `>`? */
    readonly gt: Cell
    /** Can a condition use `>=`? */
    readonly gte: Cell
    /** Can a condition use `IN`? */
    readonly in: Cell
    /** Can a condition use `NOT IN`? */
    readonly notIn: Cell
    /** Can a condition use `IS NULL`? */
    readonly isNull: Cell
    /** Can a condition use `IS NOT NULL`? */
    readonly isNotNull: Cell
    /** Can a condition use `LIKE`? */
    readonly like: Cell
    /** Can a condition use `NOT LIKE`? */
    readonly notLike: Cell
    /** Can a condition use `ILIKE`? */
    readonly ilike: Cell
    /** Can a condition use `NOT ILIKE`? */
    readonly notIlike: Cell
    /** Can a condition use `BETWEEN`? */
    readonly between: Cell
    /** Can a condition use `NOT BETWEEN`? */
    readonly notBetween: Cell
    /** Can a condition use `IS DISTINCT FROM`? */
    readonly isDistinctFrom: Cell
    /** Can a condition use `IS NOT DISTINCT FROM`? */
    readonly isNotDistinctFrom: Cell
    /** Can a condition use a boolean column by itself? */
    readonly boolean: Cell
    /** Can a condition use `AND`? */
    readonly and: Cell
    /** Can a condition use `OR`? */
    readonly or: Cell
    /** Can a condition use `NOT`? */
    readonly not: Cell
  }

  readonly columns: {
    /** Can a listener ask for some columns only (`columns`)? */
    readonly projection: Cell
    /** Is an update that changes none of the listener's columns left out? */
    readonly onlyChanged: Cell
  }

  readonly rows: {
    /** Can the whole old row of an update or delete be had? */
    readonly old: Cell
    /** Is the whole old row there without any change to the table's settings? */
    readonly oldWithoutSetup: Cell
    /** Is an unchanged large (TOASTed) value delivered without any change to the table's settings? */
    readonly unchangedLargeValues: Cell
  }

  readonly keys: {
    /** Does a change of the key arrive as a delete of the old key and an insert of the new one? */
    readonly change: Cell
    /** Can a listener name columns of its own as the key (`key`)? */
    readonly declared: Cell
  }

  readonly transitions: {
    /** Does a row that an update moves into or out of a condition arrive as an insert or delete, and nothing outside of it? */
    readonly exact: Cell
    /** Can a listener whose table does not give old rows still have events whose fold is right? */
    readonly idempotent: Cell
  }

  readonly order: {
    /** Do the changes of one row arrive in the order in which they were made? */
    readonly row: Cell
    /** Are the changes of one transaction contiguous? */
    readonly transaction: Cell
    /** Do transactions arrive in the order in which they committed? */
    readonly commit: Cell
  }

  readonly transactions: {
    /** Does a change carry the identity of its transaction? */
    readonly id: Cell
    /** Does a change carry the time at which its transaction committed, whatever the server's settings? */
    readonly commitTime: Cell
  }

  readonly delivery: {
    /** Is the source told how far everything is handled, so that it can let go of what is done? */
    readonly acknowledgement: Cell
    /** Does a named subscription survive a restart of the program (`subscription`)? */
    readonly subscription: Cell
    /** Does the driver reconnect by itself when the connection is lost? */
    readonly reconnect: Cell
  }

  readonly listeners: {
    /** Can listeners come and go while the client runs, without disturbing the others? */
    readonly attachWhileRunning: Cell
    /** Can a listener be told only that its table has changed, without the rows (`rows: false`)? */
    readonly withoutRows: Cell
  }

  readonly snapshot: {
    /** Can a listener begin with the rows that the table has (`snapshot: 'initial'`), without a hole before its first change? */
    readonly initial: Cell
  }

  readonly messages: {
    /** Are the messages delivered that a program writes into the log with `pg_logical_emit_message` (`messages`)? */
    readonly logical: Cell
  }
}

type Group = Exclude<keyof Capabilities, 'driver'>

/** A cell's address in the manifest: `'operations.truncate'`. */
export type CapabilityName = { [G in Group]: `${G}.${Extract<keyof Capabilities[G], string>}` }[Group]

/**
 * Every cell with the question that it answers. Total by type: a cell without an entry does not compile.
 * `rowtap capabilities` and the README's table print it.
 */
export const CAPABILITY_QUESTIONS: Readonly<Record<CapabilityName, string>> = {
  'operations.insert': 'New rows',
  'operations.update': 'Changed rows',
  'operations.delete': 'Removed rows',
  'operations.truncate': 'The emptying of a table',
  'conditions.where': 'Some rows only (`where`)',
  'conditions.eq': 'Equal to a value',
  'conditions.neq': 'Not equal to a value',
  'conditions.lt': 'Less than a value',
  'conditions.lte': 'Less than or equal to a value',
  'conditions.gt': 'Greater than a value',
  'conditions.gte': 'Greater than or equal to a value',
  'conditions.in': 'One of several values',
  'conditions.notIn': 'None of several values',
  'conditions.isNull': 'NULL',
  'conditions.isNotNull': 'Not NULL',
  'conditions.like': 'Like a pattern',
  'conditions.notLike': 'Not like a pattern',
  'conditions.ilike': 'Like a pattern, in upper or lower case',
  'conditions.notIlike': 'Not like a pattern, in upper or lower case',
  'conditions.between': 'Between two values',
  'conditions.notBetween': 'Not between two values',
  'conditions.isDistinctFrom': 'Distinct from a value, NULL included',
  'conditions.isNotDistinctFrom': 'Not distinct from a value, NULL included',
  'conditions.boolean': 'A boolean column by itself',
  'conditions.and': 'Several conditions at once (`and`)',
  'conditions.or': 'At least one of several conditions (`or`)',
  'conditions.not': 'The contrary of a condition (`not`)',
  'columns.projection': 'Some columns only (`columns`)',
  'columns.onlyChanged': 'An update that changes none of those columns is left out',
  'rows.old': 'The whole old row',
  'rows.oldWithoutSetup': 'The whole old row without a change to the table',
  'rows.unchangedLargeValues': 'Unchanged TOASTed values without a change to the table',
  'keys.change': 'A key change is a delete and an insert',
  'keys.declared': 'A key of the listener’s own (`key`)',
  'transitions.exact': 'Into a condition is an insert, out of it a delete',
  'transitions.idempotent': 'Without old rows: events whose fold is right',
  'order.row': 'Changes of one row in order',
  'order.transaction': 'A transaction’s changes together',
  'order.commit': 'Transactions in commit order',
  'transactions.id': 'The transaction’s id',
  'transactions.commitTime': 'The commit time, whatever the server’s settings',
  'delivery.acknowledgement': 'Acknowledgement after the handlers',
  'delivery.subscription': 'Durable subscriptions (`subscription`)',
  'delivery.reconnect': 'Reconnects by itself',
  'listeners.attachWhileRunning': 'Listeners come and go while running',
  'listeners.withoutRows': 'Only that a table has changed, without rows (`rows: false`)',
  'snapshot.initial': 'The rows that are there, first (`snapshot`)',
  'messages.logical': 'Messages of `pg_logical_emit_message` (`messages`)',
}

/** Reads one cell of a manifest by its address. */
export function cellOf(capabilities: Capabilities, name: CapabilityName): Cell {
  const [group, cell] = name.split('.') as [Group, string]
  const cells: Readonly<Record<string, Cell>> = capabilities[group]
  return cells[cell] ?? false
}

/** Every cell's address, in the manifest's order. */
export function capabilityNames(): readonly CapabilityName[] {
  return Object.keys(CAPABILITY_QUESTIONS) as CapabilityName[]
}
