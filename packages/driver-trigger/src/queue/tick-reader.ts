import type { Change, ChangeBatch, DriverNotice, Operation, Position, Relation, TableName } from '@rowtap/core/driver'
import { formatTableName, RowtapError } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { CompositeTuple } from '../row/composite-tuple.ts'
import type { ObjectNames } from '../row/object-names.ts'
import { splitRows, UNTOLD_ROW, UNWANTED_ROW } from '../row/row-block.ts'
import { CapturedChange } from './captured-change.ts'
import type { ListedTransaction } from './listed-transaction.ts'
import { findNested, listTransactions } from './listed-transaction.ts'
import type { OrderedNotices } from './ordered-notices.ts'
import type { PartitionTruncations } from './partition-truncations.ts'
import { PARTITION_TRUNCATED } from './partition-truncations.ts'
import { positionParts } from './queue-position.ts'
import type { QueuedRow, ReadRows, RowSource } from './read-rows.ts'
import { chooseTransactions, readInOrder, readNested } from './read-rows.ts'
import type { ShapeSource } from './shape-source.ts'
import { signalledOperation } from './signal-relations.ts'
import type { Piece } from './table-order.ts'
import type { Tick } from './tick-source.ts'

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
  /** The relation for changes of a table that come without rows; `null` where nobody knows its name. */
  readonly signalRelation: (root: string) => Relation | null
  /** Whether rows of a table are wanted. */
  readonly hasRows: (root: string) => boolean
  /** Whether the server records when transactions commit. */
  readonly commitTimes: boolean
  /** Whether a table's changes are delivered: of one that is gone nobody knows the name. */
  readonly isNamed: (root: string) => boolean
}

/**
 * Reads the changes of a tick in order: transactions by their highest sequence number, changes as they were made (by
 * statements: see `NestedOrder`; by row triggers: a change comes right before the first one that follows it on the same
 * row, where that has a lower number).
 *
 * Nothing is held open between two reads. What is visible in a tick's last snapshot stays visible, so every read may
 * use a snapshot of its own: a slow consumer keeps no transaction from being vacuumed.
 *
 * @param delivered changes up to here are left out.
 * @returns a function that returns the next batch, or `null` after the last one.
 */
export function tickReader(
  context: TickReaderContext,
  tick: Tick,
  delivered: Position | null,
): () => Promise<ChangeBatch | null> {
  const { roots } = tick
  const source: RowSource = { connection: context.connection, consumer: context.consumer, roots, nextSize: 200 }
  let listed: readonly ListedTransaction[] = []
  let first = 0
  let after = firstHighest(tick, delivered) - 1
  let complete = roots.length === 0

  const listMore = async (): Promise<void> => {
    const more = await listTransactions(context, tick, roots, after)
    listed = more.listed
    first = 0
    after = listed.at(-1)?.highest ?? after
    complete = more.isComplete
  }

  const readMore = async (): Promise<ReadRows> => {
    const chosen = chooseTransactions(listed, first)
    await findNested(context.connection, chosen, roots)
    const [next] = chosen
    if (next?.nested === true) return await readNested(source, next)
    const nested = chosen.findIndex((one) => one.nested)
    return await readInOrder(source, nested === -1 ? chosen : chosen.slice(0, nested))
  }

  return async () => {
    if (first === listed.length) {
      if (!complete) await listMore()
      if (first === listed.length) {
        context.truncations.end()
        return null
      }
    }
    const read = await readMore()
    first += read.finished
    return await makeBatch(context, read, delivered)
  }
}

/** The highest sequence number of the first transaction that was not delivered whole. */
function firstHighest({ to }: Tick, delivered: Position | null): number {
  if (delivered === null) return 1
  const { ordinal, highest } = positionParts(delivered)
  return ordinal === to.ordinal ? highest : 1
}

const operations: Readonly<Record<string, Operation>> = { I: 'insert', U: 'update', D: 'delete', T: 'truncate' }

async function makeBatch(
  context: TickReaderContext,
  { parts, moved }: ReadRows,
  delivered: Position | null,
): Promise<ChangeBatch> {
  const rows = [...parts.map(({ row }) => row), ...[...moved.values()].flat()]
  const hasShape = ([, , root, , operation]: QueuedRow): boolean =>
    context.isNamed(root ?? '') && signalledOperation(operation ?? '') === null
  await context.shapes.load(rows.flatMap((row) => (hasShape(row) ? [row[3] ?? ''] : [])))
  const changes: Change[] = []
  let bytes = 0
  for (const { listed, row, piece } of parts) {
    if (listed.moved.delete(piece.seq)) continue
    for (const earlier of moved.get(piece.seq) ?? []) {
      listed.moved.add(Number(earlier[1]))
      const whole = { seq: Number(earlier[1]), from: 0, to: 1 }
      bytes += deliver(context, { changes, delivered }, listed, earlier, whole)
    }
    bytes += deliver(context, { changes, delivered }, listed, row, piece)
  }
  return { changes: await context.names.shorten(changes), bytes }
}

/** Makes changes of a part of a row of the queue. Returns about how much memory they take. */
function deliver(
  context: TickReaderContext,
  { changes, delivered }: { readonly changes: Change[]; readonly delivered: Position | null },
  { transaction, nextPosition }: ListedTransaction,
  [, sequence, root, shape, operation, count, before, after]: QueuedRow,
  { from, to }: Piece,
): number {
  if (typeof operation !== 'string' || typeof root !== 'string') throw notUnderstood(sequence)
  if (!context.isNamed(root) || before === UNWANTED_ROW || after === UNWANTED_ROW) {
    for (let index = from; index < to; index += 1) nextPosition()
    return 0
  }
  if (operation === PARTITION_TRUNCATED && context.hasRows(root)) {
    context.truncations.see(operation, root, transaction, nextPosition())
    return 0
  }
  // Who wants no rows misses none.
  const signalled = operation === PARTITION_TRUNCATED ? 'truncate' : signalledOperation(operation)
  if (signalled !== null) {
    const position = nextPosition()
    const relation = context.signalRelation(root)
    if (relation === null || (delivered !== null && position <= delivered)) return 0
    context.notices.read(position)
    changes.push({
      kind: signalled,
      relation,
      new: null,
      old: null,
      withoutRows: true,
      transaction,
      id: `${context.tag}-${sequence}`,
      position,
    })
    return 200
  }
  const kind = operations[operation]
  if (kind === undefined) throw notUnderstood(sequence)
  const { relation, fields, fieldCount } = context.shapes.get(shape ?? '', root)
  const what = { kind, relation }
  const olds = rowsOf(before, Number(count))
  const news = rowsOf(after, Number(count))
  const tuple = (text: string | undefined): CompositeTuple | null =>
    text === undefined || text === UNTOLD_ROW ? null : new CompositeTuple(text, fields, fieldCount)
  let bytes = 0
  for (let index = from; index < to; index += 1) {
    const position = nextPosition()
    context.truncations.see(operation, root, transaction, position)
    if (delivered !== null && position <= delivered) continue
    const [oldText, newText] = [olds[index], news[index]]
    if (oldText === UNWANTED_ROW || newText === UNWANTED_ROW) continue
    bytes += 800 + 2 * ((oldText?.length ?? 0) + (newText?.length ?? 0))
    const rows = { old: tuple(oldText), new: tuple(newText) }
    if (lacksRow(kind, rows)) {
      context.notices.notify(tooLarge(relation, position))
      continue
    }
    context.notices.read(position)
    const id = index === 0 ? `${context.tag}-${sequence}` : `${context.tag}-${sequence}-${index}`
    changes.push(new CapturedChange(what, rows, { transaction, id, position }))
  }
  return bytes
}

function rowsOf(block: string | null | undefined, count: number): readonly string[] {
  return block === null || block === undefined ? [] : splitRows(block, count)
}

/** Whether the capture function left a row out, because its text is too large. */
function lacksRow(kind: Operation, { old, new: row }: Pick<Change, 'old' | 'new'>): boolean {
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
