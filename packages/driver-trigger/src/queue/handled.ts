import type { Position } from '@rowtap/core/driver'
import type { Snapshot } from './snapshot.ts'

/** Keeps track of how far the stream is handled, in whole ticks. */
export interface Handled {
  /** A tick has been delivered whole. `last` is the position of the last change until then; `null` if there was none. */
  delivered(end: Snapshot, last: Position | null): void
  /** Everything up to a position is handled. */
  acknowledge(position: Position): void
  /** There was nothing to deliver up to a snapshot. */
  nothingUntil(end: Snapshot): void
  /** The database knows that everything is handled that is visible in this snapshot. What was delivered beyond it still counts. */
  resume(place: Snapshot): void
  /** Everything that is visible in this snapshot is handled. */
  place(): Snapshot
  /** Everything up to this position is handled; `null` if nothing is. */
  acknowledged(): Position | null
  /** Another number whenever more was delivered or handled. */
  version(): number
}

/**
 * Begins at the snapshot that reading starts from.
 *
 * @param handledUntil beyond the snapshot, everything up to here is handled, too.
 */
export function handled(start: Snapshot, handledUntil: Position | null = null): Handled {
  let open: { readonly end: Snapshot; readonly last: Position | null }[] = []
  let place = start
  let acknowledged = handledUntil
  let version = 0
  const isHandled = (last: Position | null): boolean => last === null || (acknowledged !== null && last <= acknowledged)
  const advance = (): void => {
    for (let next = open[0]; next !== undefined && isHandled(next.last); next = open[0]) {
      place = next.end
      open.shift()
    }
  }
  return {
    delivered: (end, last) => {
      const before = open.at(-1)?.end ?? place
      // One that is read again.
      if (end.ordinal <= before.ordinal) return
      version += 1
      open.push({ end, last })
      advance()
    },
    acknowledge: (position) => {
      version += 1
      if (acknowledged === null || position > acknowledged) acknowledged = position
      advance()
    },
    nothingUntil: (end) => {
      if (open.length === 0) place = end
    },
    resume: (stored) => {
      place = stored
      open = open.filter(({ end }) => end.ordinal > stored.ordinal)
      advance()
    },
    place: () => place,
    acknowledged: () => acknowledged,
    version: () => version,
  }
}
