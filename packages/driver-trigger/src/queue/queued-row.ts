import { splitRows, UNWANTED_ROW } from '../row/row-block.ts'

/** A row of the queue: a block of changes. */
export interface QueuedRow {
  /** Its number. */
  readonly seq: number
  /** The table, by its object id. */
  readonly root: string
  readonly shape: string
  readonly operation: string
  /** How many changes it has. */
  readonly count: number
  /** Whether nobody wants any of them. */
  readonly isUnwanted: boolean
  /** The rows before the changes, or before some other ones: its own begin at `oldsFrom`. Empty where there are none. */
  readonly olds: readonly string[]
  readonly oldsFrom: number
  /** The rows after the changes, in the same way. */
  readonly news: readonly string[]
  readonly newsFrom: number
}

const NONE: readonly string[] = []

/** A row of the queue as it was sent by itself: its number, the table, the shape, the operation, how many changes it has, and the rows before and after them. */
export function queuedRow([seq, root, shape, operation, count, before = null, after = null]: readonly (
  | string
  | null
)[]): QueuedRow {
  const isUnwanted = before === UNWANTED_ROW || after === UNWANTED_ROW
  const rowsOf = (block: string | null): readonly string[] =>
    block === null || isUnwanted ? NONE : splitRows(block, Number(count))
  return {
    seq: Number(seq),
    root: root ?? '',
    shape: shape ?? '',
    operation: operation ?? '',
    count: Number(count),
    isUnwanted,
    olds: rowsOf(before),
    oldsFrom: 0,
    news: rowsOf(after),
    newsFrom: 0,
  }
}
