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

/** What a position of {@link changePositions} or {@link boundaryPosition} is made of. */
export interface PositionParts {
  /** The ordinal of the snapshot that its transaction became visible in. */
  readonly ordinal: bigint
  /** The highest sequence number of its transaction; greater than any for a boundary. */
  readonly highest: number
}

/** Takes a position apart. */
export function positionParts(given: Position): PositionParts {
  const [ordinal = '0', highest = '0'] = given.split('/')
  return { ordinal: BigInt(`0x${ordinal}`), highest: Number(`0x${highest}`) }
}

const last = 'f'.repeat(16)

function hex(number: bigint | number): string {
  return number.toString(16).padStart(16, '0')
}
