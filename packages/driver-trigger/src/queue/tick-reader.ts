import type {
  Change,
  ChangeBatch,
  DriverNotice,
  Operation,
  Position,
  TableName,
  Transaction,
  Tuple,
} from '@rowtap/core/driver'
import { formatTableName, RowtapError } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import type { ObjectNames } from '../row/object-names.ts'
import { compositeTuple } from '../row/composite-tuple.ts'
import { LIST_TRANSACTIONS, READ_CHANGES, READ_MOVED } from '../sql/queue-statements.ts'
import type { OrderedNotices } from './ordered-notices.ts'
import type { PartitionTruncations } from './partition-truncations.ts'
import { PARTITION_TRUNCATED } from './partition-truncations.ts'
import { changePosition, movedPosition } from './queue-position.ts'
import type { ShapeSource } from './shape-source.ts'
import type { Tick } from './tick-source.ts'
import { leaseLost } from './tick-source.ts'

/** What a reader of ticks works with. */
export interface TickReaderContext {
  readonly connection: Connection
  readonly consumer: string
  /** Tells this queue's changes from those of another. */
  readonly tag: string
  readonly shapes: ShapeSource
  readonly truncations: PartitionTruncations
  readonly notices: OrderedNotices
  readonly names: ObjectNames
  /** Whether the server records when transactions commit. */
  readonly commitTimes: boolean
}

// How many transactions are listed at a time, how many changes are read at a time, and about how many bytes.
const listSize = 50_000
const readSize = 2000
const readBytes = 1024 * 1024

interface ListedTransaction {
  readonly transaction: Transaction
  readonly highest: number
  /** How many of its changes have not been read. */
  remaining: number
  /** The sequence number of the last change that was read. */
  above: number
  /** Whether a change may follow one with a higher sequence number. */
  readonly late: boolean
  /** The sequence numbers above `above` of changes that have been delivered. */
  readonly moved: Set<number>
}

/**
 * Reads the changes of a tick in order: transactions by their highest sequence number, changes by their own; except
 * that a change comes right before the first one that follows it on the same row, where that has a lower number.
 *
 * Nothing is held open between two reads. What is visible in a tick's last snapshot stays visible, so every read may
 * use a snapshot of its own: a slow consumer keeps no transaction from being vacuumed.
 *
 * @returns a function that returns the next batch, or `null` after the last one.
 */
export function tickReader(
  context: TickReaderContext,
  tick: Tick,
  roots: readonly string[],
): () => Promise<ChangeBatch | null> {
  let listed: ListedTransaction[] = []
  let first = 0
  let after = 0
  let complete = roots.length === 0

  const listMore = async (): Promise<void> => {
    listed = await listTransactions(context, tick, roots, after)
    first = 0
    after = listed.at(-1)?.highest ?? after
    complete = listed.length < listSize
  }

  return async () => {
    if (first === listed.length) {
      if (!complete) await listMore()
      if (first === listed.length) {
        context.truncations.end()
        return null
      }
    }
    const chosen = choose(listed, first)
    const { batch, finished } = await readChanges(context, tick, roots, chosen)
    first += finished
    return batch
  }
}

/** As many transactions as fit in one read, beginning with one that may be in the middle. */
function choose(listed: readonly ListedTransaction[], first: number): readonly ListedTransaction[] {
  let last = first
  for (let changes = 0; last < listed.length && (last === first || changes < readSize); last += 1) {
    changes += listed[last]?.remaining ?? 0
  }
  return listed.slice(first, last)
}

async function listTransactions(
  context: TickReaderContext,
  { from, to }: Tick,
  roots: readonly string[],
  after: number,
): Promise<ListedTransaction[]> {
  const rows = await context.connection.texts('rowtap_list', LIST_TRANSACTIONS, [
    from.xmax,
    from.inProgress,
    to.xmax,
    to.text,
    roots,
    after,
    listSize,
    context.commitTimes,
  ])
  return rows.map(([id, highest, changes, late, commitTime]) => ({
    transaction: { id: id ?? '', commitTime: typeof commitTime === 'string' ? commitDate(commitTime) : null },
    highest: Number(highest),
    remaining: Number(changes),
    above: 0,
    late: late === 't',
    moved: new Set(),
  }))
}

/** The session's TimeZone is UTC and its DateStyle ISO: `2026-01-02 03:04:05.678901+00`. */
function commitDate(text: string): Date {
  return new Date(
    text
      .replace(' ', 'T')
      .replace(/(\.\d{3})\d*/u, '$1')
      .replace(/\+00$/u, 'Z'),
  )
}

const operations: Readonly<Record<string, Operation>> = { I: 'insert', U: 'update', D: 'delete', T: 'truncate' }

async function readChanges(
  context: TickReaderContext,
  tick: Tick,
  roots: readonly string[],
  transactions: readonly ListedTransaction[],
): Promise<{ batch: ChangeBatch; finished: number }> {
  const rows = await context.connection.texts('rowtap_read', READ_CHANGES, [
    transactions.map((listed) => listed.transaction.id),
    transactions.map((listed) => listed.above),
    roots,
    readSize,
    readBytes,
    context.consumer,
  ])
  if (rows.length === 0 || rows[0]?.[7] !== 'true') throw leaseLost()
  const moved = await readMoved(context, transactions, rows)
  await context.shapes.load([...rows, ...[...moved.values()].flat()].map((row) => row[3] ?? ''))
  const changes: Change[] = []
  let finished = 0
  let bytes = 0
  const deliver = (listed: ListedTransaction, row: QueuedRow, position: Position): void => {
    const [, sequence, root = '', shape, operation = '', before, after] = row
    if (operation === null || root === null) throw notUnderstood(sequence)
    listed.remaining -= 1
    if (listed.remaining === 0) finished += 1
    bytes += 200 + 2 * ((before?.length ?? 0) + (after?.length ?? 0))
    context.truncations.see(operation, root, listed.transaction, position)
    if (operation === PARTITION_TRUNCATED) return
    const kind = operations[operation]
    if (kind === undefined) throw notUnderstood(sequence)
    const { relation, fields, fieldCount } = context.shapes.get(shape ?? '', root)
    const tuple = (text: string | null | undefined): Tuple | null =>
      text === null || text === undefined ? null : compositeTuple(text, fields, fieldCount)
    const change = { kind, relation, new: tuple(after), old: tuple(before) }
    if (lacksRow(change)) {
      context.notices.notify(tooLarge(relation, position))
      return
    }
    context.notices.read(position)
    changes.push({
      ...change,
      transaction: listed.transaction,
      id: `${context.tag}-${sequence}`,
      position,
    })
  }
  for (const row of rows) {
    const listed = transactions[Number(row[0]) - 1]
    if (listed === undefined) throw notUnderstood(row[1])
    const seq = Number(row[1])
    listed.above = seq
    if (listed.moved.delete(seq)) continue
    for (const [step, earlier] of (moved.get(seq) ?? []).entries()) {
      listed.moved.add(Number(earlier[1]))
      deliver(listed, earlier, movedPosition(tick.to, listed.highest, seq, step + 1))
    }
    deliver(listed, row, changePosition(tick.to, listed.highest, seq))
  }
  return { batch: { changes: await context.names.shorten(changes), bytes }, finished }
}

/** A row of the queue, with what it is listed under in front of it. */
type QueuedRow = readonly (string | null)[]

/** The changes that have to come before some of these, by the sequence number of the one that they come before. */
async function readMoved(
  context: TickReaderContext,
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
  const found = await context.connection.texts('rowtap_moved', READ_MOVED, [
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

/** Whether the capture function left a row out, because its text is too large. */
function lacksRow({ kind, old, new: row }: Pick<Change, 'kind' | 'old' | 'new'>): boolean {
  if (kind === 'truncate') return false
  return (kind !== 'insert' && old === null) || (kind !== 'delete' && row === null)
}

function tooLarge(table: TableName, position: Position): DriverNotice {
  const reason = `A change of ${formatTableName(table)} is not delivered: its row cannot be printed, or not in 128 MB.`
  return { kind: 'gap', from: position, to: position, reason }
}

function notUnderstood(sequence: string | null | undefined): RowtapError {
  return new RowtapError('ERR_DECODE', { message: `The change ${sequence} in the queue cannot be understood.` })
}
