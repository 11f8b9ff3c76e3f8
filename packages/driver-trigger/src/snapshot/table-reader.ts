import type { Relation, SnapshotChunk, SnapshotKey, SnapshotRequest, TableName, WaitingHost } from '@rowtap/core/driver'
import { declarePiece, formatTableName, lockTable, Waiting } from '@rowtap/core/driver'
import type { Connection, Queries } from '../connection/connection.ts'
import { isLockFailure } from '../install/capture-table.ts'
import { boundaryPosition } from '../queue/queue-position.ts'
import type { Snapshot } from '../queue/snapshot.ts'
import { SET_SEARCH_PATH } from '../sql/name-statements.ts'
import type { PieceRelations } from './piece-relations.ts'
import { PieceRow } from './piece-row.ts'
import { BEGIN_PIECE, fetchRows, FIND_LOCKERS } from './snapshot-sql.ts'
import type { ReadableTable, TableFacts, TableLookup } from './table-facts.ts'
import { checkReadable, factsByOid, isDenied, isMissing, tableFacts } from './table-facts.ts'

const FIRST_ROWS = 8
const MOST_ROWS = 2000
/** What a row takes in memory besides its values. */
const ROW_BYTES = 64

/** What reading tables takes. */
export interface TableReading extends TableLookup, WaitingHost {
  /** What the role's own sessions look names up in. */
  readonly searchPath: string
  /** A snapshot of now that divides the changes: what is visible in it comes before its position, everything else after. */
  readonly cut: () => Promise<Snapshot>
}

/** A connection for reading tables, and what is known of them by it. */
export interface TableConnection {
  readonly connection: Connection
  readonly relations: PieceRelations
}

/** A piece of a table, and the table as it was then. */
export interface TablePiece {
  readonly chunk: SnapshotChunk
  readonly facts: TableFacts
}

/**
 * Reads one piece of a table, in a snapshot in which everything is visible that was delivered: on one server a snapshot has
 * what any earlier one has.
 *
 * @param known what was found of the table before.
 * @throws RowtapError ERR_SETUP_REQUIRED where the table is gone, or its rows may not be read any more.
 */
export async function readTablePiece(
  { connection, relations }: TableConnection,
  reading: TableReading,
  request: SnapshotRequest,
  known: ReadableTable,
): Promise<TablePiece> {
  const { facts, found } = await inLockedTable(connection, reading, request.table, known.facts, (queries, now) =>
    readLocked({ queries, relations }, reading, request, { facts: now, key: known.key }),
  )
  // Everything that the piece has seen is before this; what comes between is told apart by the piece's own snapshot.
  const until = boundaryPosition(await reading.cut())
  return { chunk: { ...found, until }, facts }
}

/** Locks the table against being emptied or altered, as it was last called, and then looks at it. */
async function inLockedTable<T>(
  connection: Connection,
  reading: TableReading,
  table: TableName,
  last: TableFacts,
  body: (queries: Queries, facts: TableFacts) => Promise<T>,
): Promise<{ readonly facts: TableFacts; readonly found: T }> {
  const waiting = new Waiting(reading)
  let known = last
  for (;;) {
    const begin = `${BEGIN_PIECE.text(reading.schema)};\n${lockTable(known, known.isPartitioned)}`
    try {
      const result = await connection.transaction(async (queries) => {
        const facts = await factsByOid(queries, known.oid)
        // Another table may have its name by now.
        if (facts === null || facts.schema !== known.schema || facts.name !== known.name) return null
        return { facts, found: await body(queries, facts) }
      }, begin)
      if (result !== null) return result
    } catch (error) {
      if (isDenied(error)) {
        const now = await tableFacts(connection, reading, table)
        checkReadable(now, error)
        // What was not to be had may be another table, which has the name by now.
        if (now.schema === known.schema && now.name === known.name) throw error
      } else if (!isLockFailure(error) && !isMissing(error)) throw error
    }
    known = await tableFacts(connection, reading, table)
    const lockers = await connection.rows<{ pid: number }>(FIND_LOCKERS, [known.oid])
    await waiting.pause(
      `Waiting for a lock on ${formatTableName(table)}, to read its rows: another session has it to itself.`,
      lockers.map(({ pid }) => pid),
    )
  }
}

async function readLocked(
  { queries, relations }: { readonly queries: Queries; readonly relations: PieceRelations },
  { searchPath }: TableReading,
  request: SnapshotRequest,
  { facts, key }: ReadableTable,
): Promise<Omit<SnapshotChunk, 'until'>> {
  const relation = await relations.of(queries, facts, request.table)
  const columns = wantedColumns(relation, request)
  const { text, values } = declarePiece(request, {
    relation: { ...relation, schema: facts.schema, name: facts.name },
    columns,
    key,
    isPartitioned: facts.isPartitioned,
  })
  // Names of objects are printed as they are for the role's other sessions. The piece names everything with its schema.
  await queries.rows(SET_SEARCH_PATH, [searchPath])
  await queries.texts('', { text: () => text }, values)
  const { rows, bytes, isLast } = await fetchPiece(queries, request)
  return {
    relation,
    rows: rows.map((row) => new PieceRow(row, columns, relation.columns.length)),
    bytes,
    isLast,
    state: facts.state,
  }
}

type TextRow = readonly (string | null)[]

/** About how many bytes a row of the last piece had. */
const widths = new WeakMap<SnapshotKey, number>()

/** Fetches few rows first where nobody knows how large they are. */
async function fetchPiece(
  queries: Queries,
  { key, maxRows, maxBytes }: SnapshotRequest,
): Promise<{ readonly rows: readonly TextRow[]; readonly bytes: number; readonly isLast: boolean }> {
  const rows: TextRow[] = []
  let bytes = 0
  const width = widths.get(key)
  let count = width === undefined ? FIRST_ROWS : Math.max(1, Math.min(Math.ceil(maxBytes / width), MOST_ROWS))
  for (;;) {
    const wanted = Math.min(count, maxRows - rows.length)
    const fetched = await queries.texts('', fetchRows(wanted), [])
    for (const row of fetched) {
      rows.push(row)
      bytes += bytesOf(row)
    }
    if (rows.length > 0) widths.set(key, bytes / rows.length)
    if (fetched.length < wanted) return { rows, bytes, isLast: true }
    if (rows.length >= maxRows || bytes >= maxBytes) return { rows, bytes, isLast: false }
    const fitting = Math.ceil(((maxBytes - bytes) * rows.length) / bytes)
    count = Math.max(1, Math.min(fitting, wanted * 4, MOST_ROWS))
  }
}

function bytesOf(row: TextRow): number {
  let bytes = ROW_BYTES
  for (const text of row) bytes += 16 + (text?.length ?? 0)
  return bytes
}

/** A column that no change holds is not in the row either: its value would be true for as long as nobody changes the row. */
function wantedColumns({ columns }: Relation, { columns: wanted }: SnapshotRequest): readonly number[] {
  return columns.flatMap(({ name, neverSent }, index) =>
    neverSent === null && (wanted === null || wanted.has(name)) ? [index] : [],
  )
}
