import { READ_PART } from '../sql/tick-statements.ts'
import type { ListSource, TickPart } from './list-tick.ts'
import { listTick } from './list-tick.ts'
import { findNested } from './order-nested.ts'
import type { QueuedTransaction } from './queued-transaction.ts'
import { leaseLost } from './tick-source.ts'
import type { Tick } from './tick-source.ts'
import { unpackRows } from './unpack-rows.ts'

/** What putting transactions in order takes. */
export interface OrderSource extends ListSource {
  readonly consumer: string
}

/**
 * The transactions of a tick by their highest sequence number, above one (`after`); those that are small come with their
 * rows.
 *
 * If two transactions touched one row, the later one waited for the earlier one to end: all that the earlier one
 * wrote has lower numbers than what the later one wrote after that. So this order keeps the order of each row.
 *
 * They are read by their ids, a part at a time, because the queue has an index of those: that is nearly the same order. What
 * is read and comes after something that may be in a later part waits for that. It is no more than there were
 * transactions at one time: each of them was there when that other one began, and wrote after that.
 *
 * @returns a function that returns the next ones, as many as are known; none after the last one.
 */
export function transactionOrder(
  source: OrderSource,
  tick: Tick,
  after: number,
): () => Promise<readonly QueuedTransaction[]> {
  let waiting: QueuedTransaction[] = []
  let parts: readonly TickPart[] = []
  let next = 0
  let isListed = tick.roots.length === 0

  const add = (transactions: readonly QueuedTransaction[]): void => {
    waiting.push(...transactions.filter(({ highest }) => highest > after))
    waiting.sort((one, other) => one.highest - other.highest)
  }
  const list = async (): Promise<void> => {
    isListed = true
    if (tick.packed !== null) {
      add(await withRows(source, tick, unpackRows(tick.packed)))
      return
    }
    const listed = await listTick(source, tick, after)
    parts = listed.parts
    add(listed.stragglers)
  }
  const take = (bound: number): readonly QueuedTransaction[] => {
    const end = waiting.findIndex(({ highest }) => highest >= bound)
    const taken = end === -1 ? waiting : waiting.slice(0, end)
    waiting = end === -1 ? [] : waiting.slice(end)
    return taken
  }

  return async () => {
    if (!isListed) await list()
    for (let part = parts[next]; part !== undefined; part = parts[next]) {
      next += 1
      add(part.kind === 'large' ? [part.transaction] : await readPart(source, tick, part, after))
      const taken = next < parts.length ? take(part.bound) : []
      if (taken.length > 0) return taken
    }
    return take(Number.POSITIVE_INFINITY)
  }
}

async function readPart(
  source: OrderSource,
  tick: Tick,
  { from, to, isToThere }: Extract<TickPart, { kind: 'small' }>,
  after: number,
): Promise<readonly QueuedTransaction[]> {
  const { connection, consumer, commitTimes } = source
  const values = [from, to, tick.to.text, tick.roots, commitTimes, consumer, after]
  const [row] = await connection.texts('rowtap_part', READ_PART, values)
  const [heads = null, olds = null, news = null, held] = row ?? []
  if (held !== 'true') throw leaseLost()
  const transactions = heads === null ? [] : unpackRows({ heads, olds, news })
  if (isToThere && transactions.at(-1)?.transaction.id !== to) throw leaseLost()
  return await withRows(source, tick, transactions)
}

/** Of a nested transaction rows have to be read in another order. */
async function withRows(
  { connection }: OrderSource,
  { roots }: Tick,
  transactions: readonly QueuedTransaction[],
): Promise<readonly QueuedTransaction[]> {
  await findNested(connection, transactions, roots)
  for (const one of transactions) if (one.nested === true) one.rows = null
  return transactions
}
