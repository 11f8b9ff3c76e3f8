import type { Position } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import type { Snapshot } from './snapshot.ts'

/**
 * The place of a change: the snapshot that it became visible in, its transaction's highest sequence number, its own.
 * Sixteen hexadecimal digits each, so that positions compare as strings.
 */
export function changePosition(visibleIn: Snapshot, highest: number, sequence: number): Position {
  return position(`${hex(visibleIn.ordinal)}/${hex(highest)}/${hex(sequence)}`)
}

/** The place of a change that is moved to before the one with a sequence number, as one of several: the `step`th. */
export function movedPosition(visibleIn: Snapshot, highest: number, before: number, step: number): Position {
  return position(`${changePosition(visibleIn, highest, before - 1)}/${hex(step)}`)
}

/** The place after every change that is visible in a snapshot, and before every other. */
export function boundaryPosition(snapshot: Snapshot): Position {
  return position(`${hex(snapshot.ordinal)}/${last}/${last}`)
}

const last = 'f'.repeat(16)

function hex(number: bigint | number): string {
  return number.toString(16).padStart(16, '0')
}
