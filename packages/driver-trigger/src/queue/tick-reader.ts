import type { ChangeBatch, Position } from '@rowtap/core/driver'
import type { BatchContext } from './make-batch.ts'
import { makeBatch } from './make-batch.ts'
import { findNested } from './order-nested.ts'
import { changePositions, positionParts } from './queue-position.ts'
import type { QueuedTransaction } from './queued-transaction.ts'
import type { ReadRows, RowSource } from './read-rows.ts'
import { chooseTransactions, readInOrder, readNested, rowsAtHand } from './read-rows.ts'
import type { Tick } from './tick-source.ts'
import type { OrderSource } from './transaction-order.ts'
import { transactionOrder } from './transaction-order.ts'

/** What a reader of ticks works with. */
export interface TickReaderContext extends OrderSource, Omit<BatchContext, 'positionsOf' | 'delivered'> {}

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
  const { connection, consumer } = context
  const { roots, to } = tick
  const reached = delivered !== null && positionParts(delivered).ordinal >= to.ordinal ? delivered : null
  const source: RowSource = { connection, consumer, roots, nextSize: 200 }
  const batchContext: BatchContext = { ...context, positionsOf: changePositions(to), delivered: reached }
  const nextTransactions = transactionOrder(context, tick, firstHighest(reached) - 1)
  let transactions: readonly QueuedTransaction[] = []
  let first = 0

  const readMore = async (): Promise<ReadRows> => {
    const chosen = chooseTransactions(transactions, first)
    const [next] = chosen
    if (next?.rows !== null) return rowsAtHand(chosen)
    await findNested(connection, chosen, roots)
    if (next.nested === true) return await readNested(source, next)
    const nested = chosen.findIndex((one) => one.nested)
    return await readInOrder(source, nested === -1 ? chosen : chosen.slice(0, nested))
  }

  return async () => {
    if (first === transactions.length) {
      transactions = await nextTransactions()
      first = 0
      if (transactions.length === 0) {
        context.truncations.end()
        return null
      }
    }
    const read = await readMore()
    first += read.finished
    return await makeBatch(batchContext, read)
  }
}

/** The highest sequence number of the first transaction of a tick that was not delivered whole. */
function firstHighest(delivered: Position | null): number {
  // A boundary has a number that is greater than any, and than PostgreSQL can read.
  return delivered === null ? 1 : Math.min(positionParts(delivered).highest, Number.MAX_SAFE_INTEGER)
}
