import type { PlannedStatement } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { CaptureName } from '../publication/capture-name.ts'
import { commentOn, plannedComment, readComment } from '../publication/publication-comment.ts'
import type { Lsn } from '../replication/lsn.ts'
import { formatLsn, parseLsn } from '../replication/lsn.ts'

/** How much more of the log may be acknowledged than is: so it is written down again only for every so many bytes. */
const SLACK_BYTES = 1024n * 1024n

/** Up to where a session may have acknowledged at most. */
export interface KnownLimit {
  /** Which session wrote it. */
  readonly session: string
  /** Of which timeline of the log it is. */
  readonly timeline: number
  readonly limit: Lsn
}

interface StoredLimit {
  readonly version: 1
  readonly session: string
  readonly timeline: number
  readonly limit: string
}

/** What a {@link AcknowledgementLimit} works with. */
export interface AcknowledgementLimitParts {
  readonly control: ControlConnection
  readonly name: CaptureName
  readonly session: string
  readonly timeline: number
  /** Everything before this place is acknowledged. */
  readonly start: Lsn
}

/**
 * Up to where a session may acknowledge. It is written down with the subscription before anything beyond it is acknowledged:
 * a slot that is further when the next session takes it was moved by somebody else, whenever this one has ended.
 */
export class AcknowledgementLimit {
  readonly #parts: AcknowledgementLimitParts
  #limit: Lsn
  #raising: Promise<void> | null = null

  constructor(parts: AcknowledgementLimitParts) {
    this.#parts = parts
    this.#limit = parts.start
  }

  /** Whether everything before this place may be acknowledged. */
  allows(place: Lsn): boolean {
    return place <= this.#limit
  }

  /**
   * Sees to it that everything before a place may be acknowledged. The error of a failure is `pg`'s: then it may not, and
   * comes again.
   */
  async raise(place: Lsn): Promise<void> {
    while (!this.allows(place)) {
      this.#raising ??= this.#write(place + SLACK_BYTES).finally(() => {
        this.#raising = null
      })
      await this.#raising
    }
  }

  async #write(limit: Lsn): Promise<void> {
    const { control, name, session, timeline } = this.#parts
    const stored: StoredLimit = { version: 1, session, timeline, limit: formatLsn(limit) }
    await control.query(commentOn(name.publications.all, JSON.stringify(stored)))
    this.#limit = limit
  }
}

/** What {@link AcknowledgementLimit} executes. */
export function limitStatement({ publications }: CaptureName): PlannedStatement {
  return {
    sql: plannedComment(publications.all, 'limit'),
    purpose:
      'Writes down with the subscription how far it may have acknowledged, for the next start to see whether somebody moved its slot; before anything beyond that is acknowledged, at most once for each MiB of log.',
    table: null,
  }
}

/** What was written down last; `null` where there is nothing. The error of a failure is `pg`'s. */
export async function readLimit(control: ControlConnection, { publications }: CaptureName): Promise<KnownLimit | null> {
  return parseLimit(await readComment(control, publications.all))
}

/** What was written down; `null` where it was not written by an {@link AcknowledgementLimit}. */
export function parseLimit(text: string | null): KnownLimit | null {
  if (text === null) return null
  try {
    const stored: unknown = JSON.parse(text)
    return isLimit(stored)
      ? { session: stored.session, timeline: stored.timeline, limit: parseLsn(stored.limit) }
      : null
  } catch {
    // Somebody else's text: nothing is known.
    return null
  }
}

function isLimit(value: unknown): value is StoredLimit {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    value.version === 1 &&
    'session' in value &&
    typeof value.session === 'string' &&
    'timeline' in value &&
    typeof value.timeline === 'number' &&
    'limit' in value &&
    typeof value.limit === 'string'
  )
}
