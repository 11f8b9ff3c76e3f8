import { RowtapError } from '@rowtap/core/driver'

/**
 * A `pg_snapshot`: which transactions had completed at one moment.
 *
 * All snapshots of a server form a chain: what is complete stays complete.
 */
export interface Snapshot {
  /** As PostgreSQL prints it: `xmin:xmax:xip,xip,…`. */
  readonly text: string
  /** The first transaction id that was not yet assigned, or at least not complete. */
  readonly xmax: string
  /** The transactions below `xmax` that were in progress. */
  readonly inProgress: readonly string[]
  /**
   * How many transaction ids below `xmax` were not in progress. It grows with every transaction that completes, and
   * never shrinks: one that completes either leaves the list, or moves `xmax` past itself. (Only top-level
   * transactions are listed. The id of a subtransaction counts as soon as it is below `xmax`, and goes on counting.)
   *
   * Snapshots of a later era have greater ones in any case.
   */
  readonly ordinal: bigint
}

/** Transaction ids are far smaller. */
const ERA = 1n << 56n

/** Reads the text of a `pg_snapshot`. */
export function parseSnapshot(text: string): Snapshot {
  const match = /^\d+:(\d+):((?:\d+(?:,\d+)*)?)$/u.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new RowtapError('ERR_DECODE', { message: `${JSON.stringify(text)} is not a pg_snapshot.` })
  }
  const inProgress = match[2] === '' ? [] : match[2].split(',')
  return { text, xmax: match[1], inProgress, ordinal: BigInt(match[1]) - BigInt(inProgress.length) }
}

/** The same in an era: how often the reading has begun anew, on a server that may not know what was read before. */
export function inEra(snapshot: Snapshot, era: number): Snapshot {
  return { ...snapshot, ordinal: snapshot.ordinal + BigInt(era) * ERA }
}

/** A snapshot's place among those of its own server and era, as the database counts it. */
export function ordinalInEra({ ordinal }: Snapshot): string {
  return String(ordinal % ERA)
}
