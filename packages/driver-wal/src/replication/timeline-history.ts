import type { Position } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import { hexDigits, lsnDigits, lsnOfHalves, parseLsn } from './lsn.ts'
import type { Lsn } from './lsn.ts'

/** A part of the write-ahead log that one timeline has written. */
export interface TimelineSegment {
  readonly timeline: number
  /** Where it begins. */
  readonly begin: Lsn
}

/** What a server says of itself. */
export interface ServerIdentity {
  /** The same for a server, its standbys, and what was restored from a copy of it. */
  readonly systemId: string
  readonly timeline: number
  /** Where its log ends. */
  readonly end: Lsn
  /** The timelines that its own one came of, the oldest first, and where each ended; `null` where it does not know them. */
  readonly ancestors: readonly { readonly timeline: number; readonly end: Lsn }[] | null
}

const PLACE = /([0-9a-f]{16})\/[0-9a-f]{16}-[0-9a-f]{8}$/

/**
 * Which timeline each place of the log belongs to. A place says nothing without that: a standby that becomes the primary
 * while it is behind writes other changes at places that the former primary has written already.
 *
 * What ids and positions of a timeline begin with sorts after that of each timeline before it. The first timeline, that of a
 * server that never took over from another one, has none.
 */
export class TimelineHistory {
  /** The first timeline of whatever server. */
  static get first(): TimelineHistory {
    return FIRST
  }

  readonly systemId: string
  readonly timeline: number
  readonly #end: Lsn
  /** How often the log that a session reads was another one than before. */
  readonly #generation: number
  readonly #segments: readonly TimelineSegment[]
  readonly #newest: { readonly begin: Lsn; readonly prefix: string }

  constructor({ systemId, timeline, end, ancestors }: ServerIdentity, generation: number = 0) {
    this.systemId = systemId
    this.timeline = timeline
    this.#end = end
    this.#generation = generation
    this.#segments = segmentsOf(timeline, ancestors)
    this.#newest = { begin: this.#segments.at(-1)?.begin ?? 0n, prefix: this.#prefix(timeline) }
  }

  /** Where its timeline begins. */
  get begin(): Lsn {
    return this.#newest.begin
  }

  /** What the ids and positions of a place begin with. */
  prefixAt(place: Lsn): string {
    return place >= this.#newest.begin ? this.#newest.prefix : this.#prefix(this.#timelineAt(place))
  }

  /** The same, from the place's two halves. */
  prefixAtHalves(high: number, low: number): string {
    return this.#newest.begin === 0n ? this.#newest.prefix : this.prefixAt(lsnOfHalves(high, low))
  }

  /** The smallest of all positions whose commit record is at this place, or after it. */
  positionAt(place: Lsn): Position {
    return position(`${this.prefixAt(place)}${lsnDigits(place)}/0000000000000000-00000000`)
  }

  /**
   * This history, as that of the server which a session is connected to after another one: where the two parted, the later
   * positions are greater than those before.
   *
   * @param written up to where the other server is known to have written its log to the disk.
   */
  after(former: TimelineHistory, written: Lsn): TimelineHistory {
    return this.#inGeneration(former.#generation + (this.#sortsAfter(former, written) ? 0 : 1))
  }

  /**
   * Where this log parted from another one, before the commit record of a position of that one; `null` where it has what
   * was committed up to there.
   */
  partedFrom(former: TimelineHistory, last: Position): Lsn | null {
    if (former.systemId !== this.systemId) return 0n
    const place = placeOf(last)
    const known = former.#segments.filter(({ begin }) => begin <= place)
    for (const [index, own] of this.#segments.entries()) {
      const its = known[index]
      if (its === undefined && own.begin > place) return null
      if (its?.timeline !== own.timeline || its.begin !== own.begin) return own.begin
    }
    return known[this.#segments.length]?.begin ?? (this.#end > place ? null : this.#end)
  }

  #sortsAfter(former: TimelineHistory, written: Lsn): boolean {
    if (former.systemId !== this.systemId) return false
    const parted = this.#segments.find(({ timeline, begin }, index) => {
      const its = former.#segments[index]
      return its?.timeline !== timeline || its.begin !== begin
    })
    if (parted !== undefined) return parted.timeline > former.timeline
    // The former primary goes on by itself, or one was restored to an earlier time.
    return this.timeline === former.timeline && this.#end >= written
  }

  #inGeneration(generation: number): TimelineHistory {
    if (generation === this.#generation) return this
    const ancestors = this.#segments.slice(1).map(({ begin }, index) => ({
      timeline: this.#segments[index]?.timeline ?? this.timeline,
      end: begin,
    }))
    return new TimelineHistory(
      { systemId: this.systemId, timeline: this.timeline, end: this.#end, ancestors },
      generation,
    )
  }

  #timelineAt(place: Lsn): number {
    return this.#segments.findLast(({ begin }) => begin <= place)?.timeline ?? this.timeline
  }

  #prefix(timeline: number): string {
    const generation = this.#generation === 0 ? '' : `u${hexDigits(this.#generation)}/`
    return timeline === 1 ? generation : `${generation}t${hexDigits(timeline)}/`
  }
}

// A static member that is made of its own class is compiled to what fails when it is loaded.
const FIRST = new TimelineHistory({ systemId: '', timeline: 1, end: 0n, ancestors: [] })

/**
 * Reads a timeline's history file: a line for each timeline before it, with its number and where it ended.
 * https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES
 */
export function parseTimelineHistory(text: string): NonNullable<ServerIdentity['ancestors']> {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/.exec(line)
    return match === null ? [] : [{ timeline: Number(match[1]), end: parseLsn(match[2] ?? '') }]
  })
}

function segmentsOf(timeline: number, ancestors: ServerIdentity['ancestors']): readonly TimelineSegment[] {
  let begin = 0n
  const segments: TimelineSegment[] = []
  for (const ancestor of ancestors ?? []) {
    segments.push({ timeline: ancestor.timeline, begin })
    begin = ancestor.end
  }
  return [...segments, { timeline, begin }]
}

/** The place of a position's commit record. */
function placeOf(text: Position): Lsn {
  return BigInt(`0x${PLACE.exec(text)?.[1] ?? '0'}`)
}
