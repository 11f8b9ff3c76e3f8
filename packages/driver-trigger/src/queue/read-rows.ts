import type { Connection } from '../connection/connection.ts'
import { READ_CHANGES, READ_MOVED, READ_NUMBERED } from '../sql/queue-statements.ts'
import type { ListedTransaction } from './listed-transaction.ts'
import { orderNested } from './listed-transaction.ts'
import type { Piece } from './table-order.ts'
import { leaseLost } from './tick-source.ts'

/**
 * A row of the queue, as texts: the number of its transaction among those that are read (or something else), its own, the
 * table, the shape, the operation, how many changes it has, and the rows before and after them.
 */
export type QueuedRow = readonly (string | null)[]

// How many rows of the queue are read at a time at most, and about how many bytes. What is read is soon many small objects:
// they are garbage before they are old.
const readSize = 2000
const readBytes = 64 * 1024
// Where rows are large, few are looked at: what does not fit is looked at in vain.
const leastSize = 8

/** What is read next: rows, and which of their changes come in which order. */
export interface ReadRows {
  /** In the order of delivery; a row whose changes are not all in one place is there several times. */
  readonly parts: readonly { readonly listed: ListedTransaction; readonly row: QueuedRow; readonly piece: Piece }[]
  /** What has to come before a change that a row trigger captured, by its number. */
  readonly moved: ReadonlyMap<number, readonly QueuedRow[]>
  /** How many of the transactions are finished. */
  readonly finished: number
}

/** What reading rows takes. */
export interface RowSource {
  readonly connection: Connection
  readonly consumer: string
  readonly roots: readonly string[]
  /** How many rows to look at next. */
  nextSize: number
}

/** As many transactions as fit in one read, beginning with one that may be in the middle. A nested one is read by itself. */
export function chooseTransactions(listed: readonly ListedTransaction[], first: number): readonly ListedTransaction[] {
  let last = first
  for (let rows = 0; last < listed.length && (last === first || rows < readSize); last += 1) {
    rows += listed[last]?.remaining ?? 0
  }
  return listed.slice(first, last)
}

/** Reads rows of transactions none of which is nested. */
export async function readInOrder(source: RowSource, transactions: readonly ListedTransaction[]): Promise<ReadRows> {
  const rows = await source.connection.texts('rowtap_read', READ_CHANGES, [
    transactions.map((listed) => listed.transaction.id),
    transactions.map((listed) => listed.above),
    source.roots,
    source.nextSize,
    readBytes,
    source.consumer,
  ])
  if (rows.length === 0 || rows[0]?.[8] !== 'true') throw leaseLost()
  source.nextSize = Math.max(leastSize, Math.min(readSize, rows.length * 2))
  const moved = await readMoved(source, transactions, rows)
  let finished = 0
  const parts = rows.flatMap((row) => {
    const listed = transactions[Number(row[0]) - 1]
    if (listed === undefined) return []
    const seq = Number(row[1])
    listed.above = seq
    listed.remaining -= 1
    if (listed.remaining === 0) finished += 1
    return [{ listed, row, piece: { seq, from: 0, to: Number(row[5]) } }]
  })
  return { parts, moved, finished }
}

/** Reads rows of a nested transaction. */
export async function readNested(source: RowSource, listed: ListedTransaction): Promise<ReadRows> {
  const order = (listed.order ??= orderNested(source.connection, listed, source.roots))
  const pieces = await order.next(readSize, readBytes)
  const wanted = new Set(pieces.map(({ seq }) => seq))
  const { connection, consumer } = source
  const rows = await connection.texts('rowtap_numbered', READ_NUMBERED, [listed.transaction.id, [...wanted], consumer])
  if (rows.length < wanted.size || rows[0]?.[8] !== 'true') throw leaseLost()
  const moved = await readMoved(source, [listed], rows)
  const byNumber = new Map(rows.map((row) => [Number(row[1]), row]))
  const parts = pieces.flatMap((piece) => {
    const row = byNumber.get(piece.seq)
    return row === undefined ? [] : [{ listed, row, piece }]
  })
  if (order.isOver) listed.order = null
  return { parts, moved, finished: order.isOver ? 1 : 0 }
}

/** The changes that have to come before some of these, by the sequence number of the one that they come before. */
async function readMoved(
  { connection }: RowSource,
  transactions: readonly ListedTransaction[],
  rows: readonly QueuedRow[],
): Promise<ReadonlyMap<number, readonly QueuedRow[]>> {
  const moved = new Map<number, QueuedRow[]>()
  const spans = new Map<string, { first: string | null; last: string | null }>()
  for (const [ordinal, sequence = null] of rows) {
    const listed = transactions[Number(ordinal) - 1]
    if (listed?.late !== true) continue
    const span = spans.get(listed.transaction.id)
    if (span === undefined) spans.set(listed.transaction.id, { first: sequence, last: sequence })
    else span.last = sequence
  }
  if (spans.size === 0) return moved
  const found = await connection.texts('rowtap_moved', READ_MOVED, [
    [...spans.keys()],
    [...spans.values()].map(({ first }) => first ?? ''),
    [...spans.values()].map(({ last }) => last ?? ''),
  ])
  for (const row of found) {
    const before = Number(row[0])
    const group = moved.get(before)
    if (group === undefined) moved.set(before, [row])
    else group.push(row)
  }
  return moved
}
