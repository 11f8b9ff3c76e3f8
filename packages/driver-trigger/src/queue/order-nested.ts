import type { Connection } from '../connection/connection.ts'
import { FIND_NESTED, READ_HEADERS } from '../sql/queue-statements.ts'
import { NestedTransaction } from './nested-transaction.ts'
import type { QueuedTransaction } from './queued-transaction.ts'
import { signalledOperation } from './signal-relations.ts'
import type { BlockHeader } from './table-order.ts'

/** Finds out which of these transactions are nested, as far as that is not known. */
export async function findNested(
  connection: Connection,
  transactions: readonly QueuedTransaction[],
  roots: readonly string[],
): Promise<void> {
  const unknown = transactions.filter(({ nested }) => nested === null)
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
  { transaction }: QueuedTransaction,
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
