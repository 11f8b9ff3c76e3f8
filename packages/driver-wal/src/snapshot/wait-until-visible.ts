import type { ControlConnection } from '../connection/control-connection.ts'
import type { Waiting } from '@rowtap/core/driver'
import { SNAPSHOT_NOW, UNENDED } from './snapshot-sql.ts'
import type { YieldedTransactions } from './yielded-transactions.ts'

const LOWER_HALF = 2n ** 32n

/**
 * Waits until a snapshot has every transaction that was delivered, and tells for which process.
 *
 * @param take takes a snapshot, and returns its text; the one that is returned last has them all.
 * @param giveUp gives back what `take` took. The error of a failure is `pg`'s.
 * @throws RowtapError ERR_ABORTED
 */
export async function waitUntilVisible(
  control: ControlConnection,
  yielded: YieldedTransactions,
  waiting: Waiting,
  { take, giveUp }: { readonly take: () => Promise<string>; readonly giveUp: () => Promise<unknown> },
): Promise<string> {
  let ended: readonly string[] = []
  for (;;) {
    const state = await take()
    const hidden = yielded.hiddenFrom(state)
    // What had ended before the snapshot was taken, and is not in it, was never a transaction of this server.
    const strange = hidden.filter((id) => ended.includes(id))
    yielded.forget(strange)
    if (hidden.length === strange.length) return state
    await giveUp()
    const rows = await control.query<'id' | 'pid'>(UNENDED, [hidden.map(lowerHalf)])
    ended = hidden.filter((id) => !rows.some((row) => row.id === lowerHalf(id)))
    const processIds = rows.flatMap(({ pid }) => (pid === null ? [] : [Number(pid)])).toSorted((a, b) => a - b)
    const reason =
      'Waiting for transactions whose changes were delivered, and whose commits have not ended: to read rows that have them.'
    await waiting.pause(reason, processIds)
  }
}

/** Takes a snapshot of its own, and returns its text. The error of a failure is `pg`'s. */
export async function snapshotNow(control: ControlConnection): Promise<string> {
  const [row] = await control.query<'state'>(SNAPSHOT_NOW)
  return row?.state ?? ''
}

function lowerHalf(id: string): string {
  return String(BigInt(id) % LOWER_HALF)
}
