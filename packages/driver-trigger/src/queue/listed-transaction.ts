import type { Position, Transaction } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { FIND_NESTED, LIST_TRANSACTIONS, READ_HEADERS } from '../sql/queue-statements.ts'
import { NestedTransaction } from './nested-transaction.ts'
import { changePositions } from './queue-position.ts'
import { signalledOperation } from './signal-relations.ts'
import type { BlockHeader } from './table-order.ts'
import type { Tick } from './tick-source.ts'

/** A transaction with changes in a tick, and how far it has been read. */
export interface ListedTransaction {
  readonly transaction: Transaction
  readonly highest: number
  /** The place of its next change. */
  readonly nextPosition: () => Position
  /** How many of its rows of the queue have not been read. */
  remaining: number
  /** The sequence number of the last one that was read. */
  above: number
  /** Whether a row trigger may have captured a change before one that it follows. */
  readonly late: boolean
  /** The sequence numbers above `above` of changes that have been delivered. */
  readonly moved: Set<number>
  /** Whether one of its statements wrote rows before another one that ended earlier; `null`: not known yet. */
  nested: boolean | null
  /** Where it is nested, what is to be read of it, while it is being read. */
  order: NestedTransaction | null
}

// How many transactions are listed at a time.
const listSize = 50_000

/** The transactions of a tick by their highest sequence number above one, as many as are listed at a time. */
export async function listTransactions(
  { connection, commitTimes }: { readonly connection: Connection; readonly commitTimes: boolean },
  { from, to }: Tick,
  roots: readonly string[],
  after: number,
): Promise<{ readonly listed: readonly ListedTransaction[]; readonly isComplete: boolean }> {
  const rows = await connection.texts('rowtap_list', LIST_TRANSACTIONS, [
    from.xmax,
    from.inProgress,
    to.xmax,
    to.text,
    roots,
    after,
    listSize,
    commitTimes,
  ])
  const listed = rows.map(([id, highest, changes, late, several, commitTime]): ListedTransaction => ({
    transaction: { id: id ?? '', commitTime: typeof commitTime === 'string' ? commitDate(commitTime) : null },
    highest: Number(highest),
    nextPosition: changePositions(to, Number(highest)),
    remaining: Number(changes),
    above: 0,
    late: late === 'true',
    moved: new Set(),
    nested: several === 'true' ? null : false,
    order: null,
  }))
  return { listed, isComplete: listed.length < listSize }
}

/** Finds out which of these transactions are nested, as far as that is not known. */
export async function findNested(
  connection: Connection,
  listed: readonly ListedTransaction[],
  roots: readonly string[],
): Promise<void> {
  const unknown = listed.filter(({ nested }) => nested === null)
  if (unknown.length === 0) return
  const ids = unknown.map(({ transaction }) => transaction.id)
  const rows = await connection.texts('rowtap_nested', FIND_NESTED, [ids, roots])
  const found = new Set(rows.map(([id]) => id))
  for (const one of unknown) one.nested = found.has(one.transaction.id)
}

/** What says only that there were changes is in nobody's order, and must not be taken for one of them. */
const SIGNALS_OF = 'signals of '

/** What is to be read of a nested transaction, in order. */
export function orderNested(
  connection: Connection,
  { transaction }: ListedTransaction,
  roots: readonly string[],
): NestedTransaction {
  return new NestedTransaction(async (below, root, most) => {
    const from = Number.isFinite(below) ? below : null
    const table = root?.replace(SIGNALS_OF, '') ?? null
    const isOfSignals = root === null ? null : table !== root
    const values = [transaction.id, table === null ? roots : [table], from, most, isOfSignals]
    const rows = await connection.texts('rowtap_headers', READ_HEADERS, values)
    return rows.map(([seq, home, operation = '', count, first, level, ...rest]): BlockHeader => {
      const [inserted = 0, updated = 0, deleted = 0, bytes = 0] = rest.map(Number)
      const statement =
        typeof first === 'string'
          ? {
              first: Number(first),
              level: typeof level === 'string' ? Number(level) : null,
              done: [inserted, updated, deleted] as const,
            }
          : null
      const isSignal = operation !== null && signalledOperation(operation) !== null
      const order = isSignal ? `${SIGNALS_OF}${home}` : (home ?? '')
      return { seq: Number(seq), root: order, operation: operation ?? '', rows: Number(count), bytes, statement }
    })
  })
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
