import type { DriverHost, Position } from '@rowtap/core/driver'
import { Waiting } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { Lsn } from '../replication/lsn.ts'
import { parseLsn } from '../replication/lsn.ts'
import type { TimelineHistory } from '../replication/timeline-history.ts'
import { positionBefore } from '../replication/wal-position.ts'
import { WRITE_OUT } from '../snapshot/settled-position.ts'
import { snapshotNow, waitUntilVisible } from '../snapshot/wait-until-visible.ts'
import type { YieldedTransactions } from '../snapshot/yielded-transactions.ts'
import type { Gate } from './gate.ts'
import { INSERT_PLACE } from './lock-sql.ts'
import { waitForCommits, waitUntilDelivered } from './wait-for-writers.ts'

/** What a {@link livePosition} is found with. */
export interface LivePositionParts {
  readonly control: ControlConnection
  readonly host: DriverHost
  /** Whose log positions are of. */
  readonly history: TimelineHistory
  /** Holds back what the stream delivers. */
  readonly gate: Gate
}

/** What comes of what the gate lets through. */
export interface DeliveredChanges {
  /** Everything that was committed before this place was delivered. */
  readonly passed: () => Lsn
  readonly yielded: YieldedTransactions
}

/**
 * A position such that everything of some tables that is committed before it, or was delivered by the time that this resolves,
 * can be seen by a SELECT.
 *
 * @param delivered `null`: nothing is delivered meanwhile. Then a transaction that works for long is taken for none that is
 *   being committed.
 */
export async function livePosition(
  { control, host, gate, history }: LivePositionParts,
  tables: readonly number[],
  delivered: DeliveredChanges | null,
): Promise<Position> {
  // What arrives from here on must not be handed out before the caller knows that it belongs to the new set.
  let open = gate.close()
  try {
    const [row] = await control.query<'place'>(INSERT_PLACE)
    const place = parseLsn(row?.place ?? '')
    const working = await waitForCommits(control, tables, new Waiting(host))
    if (working.length > 0 && delivered !== null) {
      open()
      // The stream has nothing of the log that is not written out.
      await control.query(WRITE_OUT)
      const hasPassed = (): boolean => delivered.passed() >= place
      await waitUntilDelivered(control, tables, new Waiting(host), { working, hasPassed })
      open = gate.close()
      const view = { take: () => snapshotNow(control), giveUp: () => Promise.resolve() }
      await waitUntilVisible(control, delivered.yielded, new Waiting(host), view)
    }
    return positionBefore(place, history)
  } finally {
    setImmediate(open)
  }
}
