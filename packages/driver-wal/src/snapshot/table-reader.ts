import type {
  DriverHost,
  KeyColumn,
  Relation,
  SnapshotChunk,
  SnapshotKey,
  SnapshotRequest,
  TableName,
  Tuple,
} from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'
import { readTable, readTableByOid } from '../catalog/table-facts.ts'
import { tableMissing } from '../catalog/table-missing.ts'
import type { ControlConnection } from '../connection/control-connection.ts'
import { sqlstateOf } from '../errors/database-error.ts'
import type { AttachedTables } from '../publication/attached-tables.ts'
import { parseLsn } from '../replication/lsn.ts'
import type { TimelineHistory } from '../replication/timeline-history.ts'
import { positionBefore } from '../replication/wal-position.ts'
import { declarePiece, lockTable, notGranted, notReadable, rowsHidden, Waiting } from '@rowtap/core/driver'
import type { OpenSnapshotConnection } from './snapshot-connection.ts'
import {
  ALL_ROWS,
  BEGIN,
  COMMIT,
  fetchRows,
  KEY_INDEX,
  OWN_SEARCH_PATH,
  READABLE,
  ROLLBACK,
  SNAPSHOT,
} from './snapshot-sql.ts'
import { waitUntilVisible } from './wait-until-visible.ts'
import type { YieldedTransactions } from './yielded-transactions.ts'

const LOCK_NOT_AVAILABLE = '55P03'
const INSUFFICIENT_PRIVILEGE = '42501'
const FIRST_ROWS = 8
const MOST_ROWS = 2000
/** What a row takes in memory besides its values. */
const ROW_BYTES = 64

/** What reading tables needs to know of the session. */
export interface TableReading {
  readonly attached: AttachedTables
  readonly host: DriverHost
  /** Whose log positions are of. */
  readonly history: () => TimelineHistory
  readonly yielded: YieldedTransactions
}

/** How a table can be read. */
export interface ReadableTable {
  readonly facts: TableFacts
  readonly key: readonly KeyColumn[]
  readonly estimate: number | null
}

/**
 * Finds the index that a table can be read by.
 *
 * @param key the names of its columns; `null`: the primary key.
 * @throws RowtapError ERR_SETUP_REQUIRED; otherwise the error is `pg`'s.
 */
export async function readableTable(
  { control }: OpenSnapshotConnection,
  { attached }: TableReading,
  table: TableName,
  key: readonly string[] | null,
): Promise<ReadableTable> {
  const facts = await factsOf(control, attached, table)
  const [index] = await control.query<'columns'>(KEY_INDEX, [facts.oid, key])
  if (index === undefined) throw notReadable(facts, facts.columns.length, key)
  const storage = facts.storage.map(({ oid }) => oid)
  const [row] = await control.query<'may_read' | 'is_filtered' | 'rows'>(READABLE, [facts.oid, storage])
  if (row?.may_read !== 't') throw notGranted(facts, control.user)
  if (row.is_filtered === 't') throw rowsHidden(facts, control.user)
  const rows = row.rows
  // The statement builds this document, so its shape is known here.
  const columns = JSON.parse(index.columns ?? '[]') as KeyColumn[]
  return { facts, key: columns, estimate: rows === null ? null : Number(rows) }
}

/**
 * Reads one piece of a table, in a snapshot in which everything is visible that was delivered.
 *
 * @param key what {@link readableTable} has found.
 * @throws RowtapError ERR_SETUP_REQUIRED; otherwise the error is `pg`'s.
 */
export async function readTablePiece(
  open: OpenSnapshotConnection,
  reading: TableReading,
  request: SnapshotRequest,
  key: readonly KeyColumn[],
): Promise<SnapshotChunk> {
  const { control } = open
  const facts = await factsOf(control, reading.attached, request.table)
  try {
    const view = await takeSnapshot(control, reading, facts)
    const chunk = await readIn(view, open, request, { facts, key })
    await control.query(COMMIT)
    return chunk
  } catch (error) {
    await control.query(ROLLBACK).catch(() => undefined)
    if (sqlstateOf(error) === INSUFFICIENT_PRIVILEGE) throw rowsHidden(facts, control.user, error)
    throw error
  }
}

/** Locks the table, and takes a snapshot in which everything is visible that was delivered, in a transaction that goes on. */
async function takeSnapshot(
  control: ControlConnection,
  { host, yielded, history }: TableReading,
  facts: TableFacts,
): Promise<Pick<SnapshotChunk, 'state' | 'until'>> {
  let place: string | null = null
  const state = await waitUntilVisible(control, yielded, new Waiting(host), {
    async take() {
      await lock(control, facts, new Waiting(host))
      await control.query(ALL_ROWS)
      const [row] = await control.query<'state' | 'place'>(SNAPSHOT)
      place = row?.place ?? null
      return row?.state ?? ''
    },
    giveUp: () => control.query(ROLLBACK),
  })
  return { state, until: positionBefore(parseLsn(place ?? ''), history()) }
}

async function readIn(
  { state, until }: Pick<SnapshotChunk, 'state' | 'until'>,
  open: OpenSnapshotConnection,
  request: SnapshotRequest,
  { facts: { oid }, key }: { readonly facts: TableFacts; readonly key: readonly KeyColumn[] },
): Promise<SnapshotChunk> {
  const { control, relations } = open
  const facts = await readTableByOid(control, oid)
  if (facts === null) throw await tableMissing(control, request.table)
  const relation = named(await relations.ofTable(facts), request.table)
  const columns = wantedColumns(relation, request)
  const { text, values } = declarePiece(request, {
    relation: { ...relation, schema: facts.schema, name: facts.name },
    columns,
    key,
    isPartitioned: facts.kind === 'p',
  })
  await control.query(OWN_SEARCH_PATH)
  await control.query(text, values)
  const { rows, bytes, isLast } = await fetchPiece(control, request)
  return {
    relation,
    rows: rows.map((row) => new PieceRow(row, columns, relation.columns.length)),
    bytes,
    isLast,
    state,
    until,
  }
}

type TextRow = readonly (string | null)[]

/** About how many bytes a row of the last piece had. */
const widths = new WeakMap<SnapshotKey, number>()

/** Fetches few rows first where nobody knows how large they are. */
async function fetchPiece(
  control: ControlConnection,
  { key, maxRows, maxBytes }: SnapshotRequest,
): Promise<{ readonly rows: readonly TextRow[]; readonly bytes: number; readonly isLast: boolean }> {
  const rows: TextRow[] = []
  let bytes = 0
  const width = widths.get(key)
  let count = width === undefined ? FIRST_ROWS : Math.max(1, Math.min(Math.ceil(maxBytes / width), MOST_ROWS))
  for (;;) {
    const wanted = Math.min(count, maxRows - rows.length)
    const fetched = await control.queryRows(fetchRows(wanted), [])
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

/** A row that was read: columns that were not asked for are not there. */
class PieceRow implements Tuple {
  readonly #texts: TextRow
  readonly #columns: readonly number[]
  readonly #isWhole: boolean

  constructor(texts: TextRow, columns: readonly number[], count: number) {
    this.#texts = texts
    this.#columns = columns
    this.#isWhole = columns.length === count
  }

  text(index: number): string | null | undefined {
    if (this.#isWhole) return this.#texts[index]
    const at = this.#columns.indexOf(index)
    return at < 0 ? undefined : this.#texts[at]
  }
}

function wantedColumns(relation: Relation, { columns }: SnapshotRequest): readonly number[] {
  return relation.columns.flatMap(({ name }, index) => (columns === null || columns.has(name) ? [index] : []))
}

const renamed = new WeakMap<Relation, Relation>()

/** A table that was given another name while it is captured keeps the one that its listeners know. */
function named(relation: Relation, { schema, name }: TableName): Relation {
  if (relation.schema === schema && relation.name === name) return relation
  const known = renamed.get(relation)
  if (known !== undefined && known.schema === schema && known.name === name) return known
  const made: Relation = { ...relation, schema, name }
  renamed.set(relation, made)
  return made
}

/**
 * A table as it is now, whatever it is called meanwhile.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED; otherwise the error is `pg`'s.
 */
export async function factsOf(
  control: ControlConnection,
  attached: AttachedTables,
  table: TableName,
): Promise<TableFacts> {
  const oid = attached.byName(table)?.oid
  const facts = oid === undefined ? await readTable(control, table) : await readTableByOid(control, oid)
  if (facts === null) throw await tableMissing(control, table)
  return facts
}

/** Others that wait for the table do not queue behind this for long: it is asked for again and again. */
async function lock(control: ControlConnection, facts: TableFacts, waiting: Waiting): Promise<void> {
  for (;;) {
    await control.query(BEGIN)
    try {
      await control.query(lockTable(facts, facts.kind === 'p'))
      return
    } catch (error) {
      await control.query(ROLLBACK)
      if (sqlstateOf(error) === INSUFFICIENT_PRIVILEGE) throw notGranted(facts, control.user, error)
      if (sqlstateOf(error) !== LOCK_NOT_AVAILABLE) throw error
      await waiting.pause('Waiting for a lock on the table, to read its rows: another session has it to itself.', [])
    }
  }
}
