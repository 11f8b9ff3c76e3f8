import type { Connection } from '../connection/connection.ts'
import { READ_CHANGES, READ_MOVED, READ_NUMBERED } from '../sql/queue-statements.ts'
import { orderNested } from './order-nested.ts'
import type { QueuedRow } from './queued-row.ts'
import { queuedRow } from './queued-row.ts'
import type { QueuedTransaction } from './queued-transaction.ts'
import type { Piece } from './table-order.ts'
import { leaseLost } from './tick-source.ts'

// How many rows of the queue are read at a time at most, and about how many bytes. What is read is soon many small objects:
// they are garbage before they are old.
const readSize = 2000
const readBytes = 64 * 1024
// Where rows are large, few are looked at: what does not fit is looked at in vain.
const leastSize = 8

/** What is read next: rows, and which of their changes come in which order. */
export interface ReadRows {
  /** In the order of delivery; a row whose changes are not all in one place is there several times. */
  readonly parts: readonly RowPart[]
  /** What has to come before a change that a row trigger captured, by its number. */
  readonly moved: ReadonlyMap<number, readonly QueuedRow[]>
  /** How many of the transactions are finished. */
  readonly finished: number
}

/** A row of the queue, or some of its changes. */
export interface RowPart {
  readonly by: QueuedTransaction
  readonly row: QueuedRow
  readonly piece: Pick<Piece, 'from' | 'to'>
}

/** What reading rows takes. */
export interface RowSource {
  readonly connection: Connection
  readonly consumer: string
  readonly roots: readonly string[]
  /** How many rows to look at next. */
  nextSize: number
}

const NONE: ReadRows['moved'] = new Map()

/**
 * Of transactions as many as fit in one read, beginning with one that may be in the middle: either such as have their rows, or
 * others. A nested one is read by itself.
 */
export function chooseTransactions(
  transactions: readonly QueuedTransaction[],
  first: number,
): readonly QueuedTransaction[] {
  const areThere = transactions[first]?.rows !== null
  let last = first
  for (let rows = 0; last < transactions.length && (last === first || rows < readSize); last += 1) {
    const next = transactions[last]
    if (next === undefined || (next.rows !== null) !== areThere) break
    rows += next.remaining
  }
  return transactions.slice(first, last)
}

const ONE: RowPart['piece'] = { from: 0, to: 1 }

function wholeOf({ count }: QueuedRow): RowPart['piece'] {
  return count === 1 ? ONE : { from: 0, to: count }
}

/** The rows that transactions have with them; each may be asked for them once. */
export function rowsAtHand(transactions: readonly QueuedTransaction[]): ReadRows {
  const parts: RowPart[] = []
  for (const by of transactions) {
    for (const row of by.rows ?? []) parts.push({ by, row, piece: wholeOf(row) })
    by.rows = null
  }
  return { parts, moved: NONE, finished: transactions.length }
}

/** Reads rows of transactions none of which is nested. */
export async function readInOrder(source: RowSource, transactions: readonly QueuedTransaction[]): Promise<ReadRows> {
  const rows = await source.connection.texts('rowtap_read', READ_CHANGES, [
    transactions.map(({ transaction }) => transaction.id),
    transactions.map(({ above }) => above),
    source.roots,
    source.nextSize,
    readBytes,
    source.consumer,
  ])
  if (rows.length === 0 || rows[0]?.at(-1) !== 'true') throw leaseLost()
  source.nextSize = Math.max(leastSize, Math.min(readSize, rows.length * 2))
  let finished = 0
  const parts = rows.flatMap(([ordinal, ...texts]): readonly RowPart[] => {
    const by = transactions[Number(ordinal) - 1]
    if (by === undefined) return []
    const row = queuedRow(texts)
    by.above = row.seq
    by.remaining -= 1
    if (by.remaining === 0) finished += 1
    return [{ by, row, piece: wholeOf(row) }]
  })
  return { parts, moved: await readMoved(source, parts), finished }
}

/** Reads rows of a nested transaction. */
export async function readNested(source: RowSource, by: QueuedTransaction): Promise<ReadRows> {
  const order = (by.order ??= orderNested(source.connection, by, source.roots))
  const pieces = await order.next(readSize, readBytes)
  const wanted = new Set(pieces.map(({ seq }) => seq))
  const { connection, consumer } = source
  const rows = await connection.texts('rowtap_numbered', READ_NUMBERED, [by.transaction.id, [...wanted], consumer])
  if (rows.length < wanted.size || rows[0]?.at(-1) !== 'true') throw leaseLost()
  const byNumber = new Map(rows.map((texts) => [Number(texts[0]), queuedRow(texts)]))
  const parts = pieces.flatMap((piece): readonly RowPart[] => {
    const row = byNumber.get(piece.seq)
    return row === undefined ? [] : [{ by, row, piece }]
  })
  if (order.isOver) by.order = null
  return { parts, moved: await readMoved(source, parts), finished: order.isOver ? 1 : 0 }
}

/** The changes that have to come before some of these, by the sequence number of the one that they come before. */
async function readMoved({ connection }: RowSource, parts: readonly RowPart[]): Promise<ReadRows['moved']> {
  const spans = new Map<string, { first: number; last: number }>()
  for (const { by, row } of parts) {
    if (!by.late) continue
    const span = spans.get(by.transaction.id)
    if (span === undefined) spans.set(by.transaction.id, { first: row.seq, last: row.seq })
    else [span.first, span.last] = [Math.min(span.first, row.seq), Math.max(span.last, row.seq)]
  }
  if (spans.size === 0) return NONE
  const found = await connection.texts('rowtap_moved', READ_MOVED, [
    [...spans.keys()],
    [...spans.values()].map(({ first }) => first),
    [...spans.values()].map(({ last }) => last),
  ])
  const moved = new Map<number, QueuedRow[]>()
  for (const [before, ...texts] of found) {
    const group = moved.get(Number(before))
    if (group === undefined) moved.set(Number(before), [queuedRow(texts)])
    else group.push(queuedRow(texts))
  }
  return moved
}
