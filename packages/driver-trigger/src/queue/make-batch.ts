import type { Change, ChangeBatch, DriverNotice, Operation, Position, Relation, TableName } from '@rowtap/core/driver'
import { formatTableName, RowtapError } from '@rowtap/core/driver'
import { CompositeTuple } from '../row/composite-tuple.ts'
import type { ObjectNames } from '../row/object-names.ts'
import { UNTOLD_ROW, UNWANTED_ROW } from '../row/row-block.ts'
import { CapturedChange } from './captured-change.ts'
import type { OrderedNotices } from './ordered-notices.ts'
import type { PartitionTruncations } from './partition-truncations.ts'
import { PARTITION_TRUNCATED } from './partition-truncations.ts'
import type { QueuedRow } from './queued-row.ts'
import type { QueuedTransaction } from './queued-transaction.ts'
import type { ReadRows, RowPart } from './read-rows.ts'
import type { ShapeSource } from './shape-source.ts'
import { signalledOperation } from './signal-relations.ts'

/** What making changes of rows of the queue takes. */
export interface BatchContext {
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
  /** Whether a table's changes are delivered: of one that is gone nobody knows the name. */
  readonly isNamed: (root: string) => boolean
  /** The places of the changes of a transaction, by its highest sequence number. */
  readonly positionsOf: (highest: number) => () => Position
  /** Changes up to here are left out. */
  readonly delivered: Position | null
}

const operations: Readonly<Record<string, Operation>> = { I: 'insert', U: 'update', D: 'delete', T: 'truncate' }

/** Makes changes of rows of the queue. */
export async function makeBatch(context: BatchContext, { parts, moved }: ReadRows): Promise<ChangeBatch> {
  await context.shapes.load(shapesOf(context, parts, moved))
  const changes: Change[] = []
  let bytes = 0
  for (const { by, row, piece } of parts) {
    if (by.moved?.delete(row.seq) === true) continue
    for (const earlier of moved.get(row.seq) ?? []) {
      by.moved ??= new Set()
      by.moved.add(earlier.seq)
      bytes += deliver(context, changes, { by, row: earlier, piece: { from: 0, to: 1 } })
    }
    bytes += deliver(context, changes, { by, row, piece })
  }
  return { changes: await context.names.shorten(changes), bytes }
}

/** The shapes that the rows refer to. */
function shapesOf(context: BatchContext, parts: ReadRows['parts'], moved: ReadRows['moved']): ReadonlySet<string> {
  const shapes = new Set<string>()
  const see = ({ root, shape, operation }: QueuedRow): void => {
    if (!shapes.has(shape) && context.isNamed(root) && signalledOperation(operation) === null) shapes.add(shape)
  }
  for (const { row } of parts) see(row)
  for (const group of moved.values()) group.forEach(see)
  return shapes
}

/** About how much memory a change takes, besides its texts. */
const CHANGE_BYTES = 800

/** Makes changes of a part of a row of the queue. Returns about how much memory they take. */
function deliver(context: BatchContext, changes: Change[], { by, row, piece: { from, to } }: RowPart): number {
  const { delivered, positionsOf } = context
  const { transaction } = by
  const { root, operation } = row
  if (!context.isNamed(root) || row.isUnwanted) {
    for (let index = from; index < to; index += 1) by.nextPosition(positionsOf)
    return 0
  }
  if (operation === PARTITION_TRUNCATED && context.hasRows(root)) {
    context.truncations.see(operation, root, transaction, by.nextPosition(positionsOf))
    return 0
  }
  // Who wants no rows misses none.
  const signalled = operation === PARTITION_TRUNCATED ? 'truncate' : signalledOperation(operation)
  if (signalled !== null) return deliverSignal(context, changes, by, row, signalled)
  const kind = operations[operation]
  if (kind === undefined) throw notUnderstood(row.seq)
  const { relation, fields, fieldCount } = context.shapes.get(row.shape, root)
  const what = { kind, relation }
  const tuple = (text: string | undefined): CompositeTuple | null =>
    text === undefined || text === UNTOLD_ROW ? null : new CompositeTuple(text, fields, fieldCount)
  let bytes = 0
  for (let index = from; index < to; index += 1) {
    const position = by.nextPosition(positionsOf)
    context.truncations.see(operation, root, transaction, position)
    if (delivered !== null && position <= delivered) continue
    const [oldText, newText] = [row.olds[row.oldsFrom + index], row.news[row.newsFrom + index]]
    if (oldText === UNWANTED_ROW || newText === UNWANTED_ROW) continue
    bytes += CHANGE_BYTES + 2 * ((oldText?.length ?? 0) + (newText?.length ?? 0))
    const rows = { old: tuple(oldText), new: tuple(newText) }
    if (lacksRow(kind, rows)) {
      context.notices.notify(tooLarge(relation, position))
      continue
    }
    context.notices.read(position)
    const id = index === 0 ? `${context.tag}-${row.seq}` : `${context.tag}-${row.seq}-${index}`
    changes.push(new CapturedChange(what, rows, { transaction, id, position }))
  }
  return bytes
}

/** Makes a change without rows. */
function deliverSignal(
  { signalRelation, delivered, notices, positionsOf, tag }: BatchContext,
  changes: Change[],
  by: QueuedTransaction,
  { seq, root }: QueuedRow,
  kind: Operation,
): number {
  const position = by.nextPosition(positionsOf)
  const relation = signalRelation(root)
  if (relation === null || (delivered !== null && position <= delivered)) return 0
  notices.read(position)
  const { transaction } = by
  changes.push({ kind, relation, new: null, old: null, withoutRows: true, transaction, id: `${tag}-${seq}`, position })
  return 200
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

function notUnderstood(sequence: number): RowtapError {
  return new RowtapError('ERR_DECODE', { message: `The change ${sequence} in the queue cannot be understood.` })
}
