import type { KeyColumn, TableName } from '@rowtap/core/driver'
import { notGranted, notReadable, rowsHidden, RowtapError, sqlstateOf, tableMissing } from '@rowtap/core/driver'
import { findTable } from '../catalog/find-table.ts'
import type { ShapeContent } from '../catalog/shape.ts'
import type { Connection, Queries } from '../connection/connection.ts'
import { INSUFFICIENT_PRIVILEGE } from '../errors/sqlstate.ts'
import { KEY_INDEX, READ_TABLE } from './snapshot-sql.ts'

/** What reading a table's rows needs to know of it. */
export interface TableFacts extends TableName {
  readonly oid: string
  readonly isPartitioned: boolean
  readonly isOwned: boolean
  /** The role that asks. */
  readonly role: string
  readonly mayRead: boolean
  /** Whether row-level security would leave rows out. */
  readonly isFiltered: boolean
  /** About how many rows it has; `null`: nobody has counted. */
  readonly estimate: string | null
  readonly content: ShapeContent
  /** The snapshot that shows all this. */
  readonly state: string
}

/** A table that can be read, and the key that it is read by. */
export interface ReadableTable {
  readonly facts: TableFacts
  readonly key: readonly KeyColumn[]
}

/** How a table is found. */
export interface TableLookup {
  /** The queue's schema. */
  readonly schema: string
  /** The object id of a table that is captured, whatever it is called meanwhile; `null` where it is not. */
  readonly oidOf: (table: TableName) => string | null
}

/**
 * A table as it is now.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where it is not there.
 */
export async function tableFacts(connection: Connection, lookup: TableLookup, table: TableName): Promise<TableFacts> {
  const oid = lookup.oidOf(table) ?? (await findTable(connection, lookup.schema, table)).oid
  const facts = await factsByOid(connection, oid)
  if (facts === null) throw tableMissing(table, connection.target.database, [])
  return facts
}

/** A table by its object id; `null` where it is not there. */
export async function factsByOid(queries: Queries, oid: string): Promise<TableFacts | null> {
  const [facts] = await queries.rows<TableFacts>(READ_TABLE, [oid])
  return facts ?? null
}

/**
 * Finds the index that a table can be read by.
 *
 * @param key the names of its columns; `null`: the primary key.
 * @throws RowtapError ERR_SETUP_REQUIRED where there is none, or the rows may not be read.
 */
export async function readableTable(
  connection: Connection,
  lookup: TableLookup,
  table: TableName,
  key: readonly string[] | null,
): Promise<ReadableTable> {
  const facts = await tableFacts(connection, lookup, table)
  const [index] = await connection.rows<{ columns: readonly KeyColumn[] }>(KEY_INDEX, [facts.oid, key])
  if (index === undefined) throw notReadable(facts, facts.content.columns.length, key)
  checkReadable(facts)
  return { facts, key: index.columns }
}

/** @throws RowtapError ERR_SETUP_REQUIRED where the role may not read every row. */
export function checkReadable(facts: TableFacts, cause?: unknown): void {
  if (!facts.mayRead) throw notGranted(facts, facts.role, cause)
  if (facts.isFiltered) throw rowsHidden(facts, facts.role, cause)
}

/** Whether an error says that a role lacks a privilege, or may not be shown every row. */
export function isDenied(error: unknown): boolean {
  return stateOf(error) === INSUFFICIENT_PRIVILEGE
}

/** Whether an error says that there is no table, or no schema, of a name. */
export function isMissing(error: unknown): boolean {
  const state = stateOf(error)
  return state === '42P01' || state === '3F000'
}

function stateOf(error: unknown): string | null {
  return sqlstateOf(RowtapError.is(error) ? error.cause : error)
}
