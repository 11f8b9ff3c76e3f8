import type { Transaction } from '@rowtap/core/driver'
import { parseSnapshot } from '../queue/snapshot.ts'

/** Whether a snapshot has what a transaction did, as `pg_visible_in_snapshot` tells of a transaction that has committed. */
export function snapshotVisibility(state: string): (transaction: Transaction) => boolean {
  const { xmax, inProgress } = parseSnapshot(state)
  const next = BigInt(xmax)
  const running = new Set(inProgress)
  return ({ id }) => BigInt(id) < next && !running.has(id)
}
