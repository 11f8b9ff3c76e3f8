import type { Position } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import type { Snapshot } from './snapshot.ts'

/**
 * The places of a transaction's changes, one after the other: the snapshot that it became visible in, its highest sequence
 * number, and how many of its changes came before. Sixteen hexadecimal digits each, so that positions compare as strings.
 */
export function changePositions(visibleIn: Snapshot, highest: number): () => Position {
  const prefix = `${hex(visibleIn.ordinal)}/${hex(highest)}/`
  let count = 0
  return () => {
    count += 1
    return position(prefix + hex(count))
  }
}

/** The place after every change that is visible in a snapshot, and before every other. */
export function boundaryPosition(snapshot: Snapshot): Position {
  return position(`${hex(snapshot.ordinal)}/${last}/${last}`)
}

const last = 'f'.repeat(16)

function hex(number: bigint | number): string {
  return number.toString(16).padStart(16, '0')
}
