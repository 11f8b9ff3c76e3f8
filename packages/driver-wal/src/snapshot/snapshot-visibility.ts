import type { Transaction } from '@rowtap/core/driver'

const EPOCH = 2n ** 32n
const HALF = 2n ** 31n

/**
 * Whether a snapshot has what a transaction did that committed near it. `state` is the text of PostgreSQL's `pg_snapshot`:
 * the first transaction that may be running, the first that has not begun, and those between that are running.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT-PARTS
 */
export function snapshotVisibility(state: string): (transaction: Transaction) => boolean {
  const [first = '0', next = '0', list = ''] = state.split(':')
  const oldest = BigInt(first)
  const newest = BigInt(next)
  const running = new Set(list === '' ? [] : list.split(',').map(BigInt))
  return ({ id }) => {
    const transaction = wholeId(BigInt(id), newest)
    return transaction < oldest || (transaction < newest && !running.has(transaction))
  }
}

/** The stream has the lower 32 bits of a transaction's id: the upper ones are those of a transaction nearby. */
function wholeId(id: bigint, nearby: bigint): bigint {
  if (id >= EPOCH) return id
  const whole = (nearby / EPOCH) * EPOCH + id
  if (whole > nearby + HALF) return whole - EPOCH
  return whole < nearby - HALF ? whole + EPOCH : whole
}
