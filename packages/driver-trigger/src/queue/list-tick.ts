import type { Connection } from '../connection/connection.ts'
import { LIST_PARTS, LIST_STRAGGLERS } from '../sql/tick-statements.ts'
import { QueuedTransaction } from './queued-transaction.ts'
import type { Tick } from './tick-source.ts'

/** A part of a tick, by transaction ids: some that are small, or one that is large. */
export type TickPart = (
  | {
      readonly kind: 'small'
      /** The first transaction id that may be one of them. */
      readonly from: string
      /** The last one. */
      readonly to: string
      /** Whether it is one of them. */
      readonly isToThere: boolean
    }
  | { readonly kind: 'large'; readonly transaction: QueuedTransaction }
) & {
  /** No transaction in later parts has a highest sequence number below this. */
  readonly bound: number
}

/** What of a tick is still to be delivered. */
export interface TickList {
  /** Transactions whose ids are lower than those of the parts, without their rows, by their highest sequence numbers. */
  readonly stragglers: readonly QueuedTransaction[]
  /** By transaction ids. */
  readonly parts: readonly TickPart[]
}

/** What listing takes. */
export interface ListSource {
  readonly connection: Connection
  /** Whether the server records when transactions commit. */
  readonly commitTimes: boolean
}

/** About how much is read at once, in bytes: what is read is soon many small objects, which are garbage before they are old. */
const PART_WEIGHT = 32 * 1024
/** A transaction that weighs more is read by itself. */
const LARGE_WEIGHT = PART_WEIGHT

/** Lists the transactions of a tick with highest sequence numbers above one. */
export async function listTick(
  { connection, commitTimes }: ListSource,
  { from, to, roots }: Tick,
  after: number,
): Promise<TickList> {
  const stragglers =
    from.inProgress.length === 0
      ? []
      : await connection.texts('rowtap_stragglers', LIST_STRAGGLERS, [
          from.inProgress,
          to.text,
          roots,
          after,
          commitTimes,
        ])
  const found = await connection.texts('rowtap_parts', LIST_PARTS, [
    from.xmax,
    to.xmax,
    to.text,
    roots,
    after,
    LARGE_WEIGHT,
    PART_WEIGHT,
    commitTimes,
  ])
  const parts: TickPart[] = []
  let first = BigInt(from.xmax)
  // They come from the last one to the first.
  for (const row of found.toReversed()) {
    const [id, , , , , , large, least] = row
    const last = BigInt(id ?? '')
    const bound = Number(least)
    if (large === 'true') {
      if (first < last) parts.push({ kind: 'small', from: `${first}`, to: `${last - 1n}`, isToThere: false, bound })
      parts.push({ kind: 'large', transaction: transactionOf(row), bound })
    } else {
      parts.push({ kind: 'small', from: `${first}`, to: `${last}`, isToThere: true, bound })
    }
    first = last + 1n
  }
  return { stragglers: stragglers.map(transactionOf), parts }
}

function transactionOf([id, highest, changes, late, several, commitTime = null]: readonly (
  | string
  | null
)[]): QueuedTransaction {
  return new QueuedTransaction({
    id: id ?? '',
    commitTime,
    highest: Number(highest),
    size: Number(changes),
    rows: null,
    late: late === 'true',
    several: several === 'true',
  })
}
