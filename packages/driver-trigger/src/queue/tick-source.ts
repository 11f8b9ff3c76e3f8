import type { Position } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { TAKE_TICK } from '../sql/queue-statements.ts'
import { boundaryPosition } from './queue-position.ts'
import type { Snapshot } from './snapshot.ts'
import { parseSnapshot } from './snapshot.ts'

/** What became visible between two snapshots. */
export interface Tick {
  readonly from: Snapshot
  readonly to: Snapshot
}

/** Cuts the stream of commits into ticks. */
export interface TickSource {
  /** The next tick that has changes in it; `null` if there are none at present. */
  next(): Promise<Tick | null>
  /** Ends a tick now, and returns the position between what has become visible and what has not. */
  cut(): Promise<Position>
  /** The end of the last tick that was cut: everything in later ones becomes visible after it. */
  end(): Snapshot
}

/** Starts at a snapshot: what is visible there is never delivered. */
export function tickSource(connection: Connection, consumer: string, start: string): TickSource {
  const waiting: Tick[] = []
  let end = parseSnapshot(start)
  let turn: Promise<unknown> = Promise.resolve()

  // One look at a time: each begins where the one before has ended.
  const look = (): Promise<Snapshot> => {
    const mine = turn.then(async () => {
      const [row] = await connection.texts('rowtap_tick', TAKE_TICK, [end.xmax, end.inProgress, consumer])
      const [text, fresh, held] = row ?? []
      if (held !== 't') throw leaseLost()
      const snapshot = parseSnapshot(text ?? '')
      if (fresh === 't') waiting.push({ from: end, to: snapshot })
      end = snapshot
      return snapshot
    })
    turn = mine.catch(() => {})
    return mine
  }

  return {
    next: async () => {
      if (waiting.length === 0) await look()
      return waiting.shift() ?? null
    },
    cut: async () => boundaryPosition(await look()),
    end: () => end,
  }
}

/** The error for a consumer that others have declared dead. */
export function leaseLost(): RowtapError {
  return new RowtapError('ERR_POSITION_LOST', {
    message:
      'This client gave no sign of life for longer than its lease, and the queue let go of its changes. Connect again, and raise the option leaseMs if the process pauses for long.',
    retryable: true,
  })
}
