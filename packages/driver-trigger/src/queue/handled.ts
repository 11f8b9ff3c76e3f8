import type { Position } from '@rowtap/core/driver'
import type { Snapshot } from './snapshot.ts'

/** Keeps track of how far the stream is handled, in whole ticks. */
export interface Handled {
  /** A tick has been delivered whole. `last` is the position of its last change; `null` if it had none. */
  delivered(end: Snapshot, last: Position | null): void
  /** Everything up to a position is handled. */
  acknowledge(position: Position): void
  /** There was nothing to deliver up to a snapshot. */
  nothingUntil(end: Snapshot): void
  /** Everything that is visible in this snapshot is handled. */
  place(): Snapshot
}

/** Begins at the snapshot that reading starts from. */
export function handled(start: Snapshot): Handled {
  const open: { readonly end: Snapshot; readonly last: Position | null }[] = []
  let place = start
  let acknowledged = ''
  const advance = (): void => {
    for (let next = open[0]; next !== undefined && (next.last === null || next.last <= acknowledged); next = open[0]) {
      place = next.end
      open.shift()
    }
  }
  return {
    delivered: (end, last) => {
      open.push({ end, last })
      advance()
    },
    acknowledge: (position) => {
      if (position > acknowledged) acknowledged = position
      advance()
    },
    nothingUntil: (end) => {
      if (open.length === 0) place = end
    },
    place: () => place,
  }
}
