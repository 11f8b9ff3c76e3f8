import type { Position } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import type { Snapshot } from './snapshot.ts'

/**
 * The places of the changes of transactions that became visible in a snapshot: for a transaction's highest sequence number its
 * places, one after the other. That is the snapshot, the number, and how many of its changes came before; sixteen hexadecimal
 * digits each, so that positions compare as strings.
 */
export function changePositions(visibleIn: Snapshot): (highest: number) => () => Position {
  const inSnapshot = `${hex(visibleIn.ordinal)}/`
  return (highest) => {
    const prefix = `${inSnapshot}${hex(highest)}/`
    let count = 0
    return () => {
      count += 1
      return position(prefix + (firstCounts[count] ?? hex(count)))
    }
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

// Most transactions have few changes.
const firstCounts = Array.from({ length: 16 }, (_, count) => hex(count))

function hex(number: bigint | number): string {
  return number.toString(16).padStart(16, '0')
}
