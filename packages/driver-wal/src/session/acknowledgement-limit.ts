import type { DriverHost, PlannedStatement } from '@rowtap/core/driver'
import { quoteIdentifier } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { messageOf, sqlstateOf } from '../errors/database-error.ts'
import type { CaptureName } from '../publication/capture-name.ts'
import { commentOn, plannedComment, readComment } from '../publication/publication-comment.ts'
import type { Lsn } from '../replication/lsn.ts'
import { formatLsn, parseLsn } from '../replication/lsn.ts'

/** How much more of the log may be acknowledged than is: so it is written down again only for every so many bytes. */
const SLACK_BYTES = 1024n * 1024n

/** How long the server may refuse that before it is told. */
const PATIENCE_MS = 1000

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
  readonly host: Pick<DriverHost, 'notify'>
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
  /** Since when the server has refused; `null`: it has not. */
  #refusedAt: number | null = null
  #isTold = false

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
      this.#raising ??= this.#attempt(place + SLACK_BYTES).finally(() => {
        this.#raising = null
      })
      await this.#raising
    }
  }

  async #attempt(limit: Lsn): Promise<void> {
    try {
      await this.#write(limit)
      this.#refusedAt = null
      this.#isTold = false
    } catch (error) {
      // A connection that is lost is told elsewhere.
      if (sqlstateOf(error) !== null) this.#refused(error)
      throw error
    }
  }

  /** While nothing is acknowledged the server keeps its log: whoever runs it has to know. */
  #refused(error: unknown): void {
    const now = performance.now()
    this.#refusedAt ??= now
    if (this.#isTold || now - this.#refusedAt < PATIENCE_MS) return
    this.#isTold = true
    const { host, name } = this.#parts
    const reason = `Waiting to write down with publication ${quoteIdentifier(name.publications.all)} how far is acknowledged (${messageOf(error)}): until then nothing more is, and the server keeps its log.`
    host.notify({ kind: 'wait', reason, processIds: [] })
  }

  async #write(limit: Lsn): Promise<void> {
    const { control, name, session, timeline } = this.#parts
    const stored: StoredLimit = { version: 1, session, timeline, limit: formatLsn(limit) }
    await control.attempt(commentOn(name.publications.all, JSON.stringify(stored)))
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
