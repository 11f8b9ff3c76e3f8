import type { PlannedStatement } from '@rowtap/core/driver'
import { inlineParameters } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { databaseError } from '../errors/database-error.ts'
import type { CaptureName } from '../publication/capture-name.ts'
import { makeProgress, progressNote, READ_PROGRESS, UNLINK_PROGRESS, WRITE_PROGRESS } from './progress-sql.ts'
import { WRITE_OUT } from './settled-position.ts'

/*
 * How far snapshots are holds the keys of rows, which not every role may read. So it is kept in a large object, which
 * belongs to the role that connects, and which no other can read: nor can a publication of all tables send it to anybody, as
 * it could a table's rows. Everybody can read the comments of publications.
 */

/** How far snapshots are, and what that depends on. */
export interface KeptProgress {
  /** Since when tables were covered without a break, as far as whoever wrote the text knew: by their object ids. */
  readonly since: ReadonlyMap<number, string | null>
  /** Core's. */
  readonly text: string
}

/**
 * Keeps with a subscription how far its snapshots are, in place of what was kept before.
 *
 * @throws RowtapError
 */
export async function saveProgress(
  control: ControlConnection,
  { publications }: CaptureName,
  progress: KeptProgress,
): Promise<void> {
  const note = progressNote(publications.all)
  const values = [note, publications.all, Buffer.from(keptText(progress))]
  try {
    if ((await control.query(WRITE_PROGRESS, values)).length > 0) return
    await control.query(makeProgress(note))
    await control.query(WRITE_PROGRESS, values)
  } catch (error) {
    throw databaseError(error, 'keep how far the snapshots are')
  }
}

/** What {@link saveProgress} executes. */
export function progressStatements({ publications }: CaptureName): readonly PlannedStatement[] {
  const note = progressNote(publications.all)
  return [
    {
      sql: makeProgress(note),
      purpose:
        'Makes a large object, which no other role can read, to keep with the subscription how far its snapshots are; once.',
      table: null,
    },
    {
      sql: WRITE_PROGRESS.trim(),
      purpose: 'Keeps there how far the snapshots are; at most once a second while one is read.',
      table: null,
    },
    {
      sql: WRITE_OUT,
      purpose: 'Has the server write out the log that was there when rows were read, where nobody else does: as often.',
      table: null,
    },
  ]
}

/** The statement that {@link removeProgress} executes. */
export function removalOfProgress({ publications }: CaptureName): PlannedStatement {
  return {
    sql: inlineParameters(UNLINK_PROGRESS, [progressNote(publications.all), publications.all]).trim(),
    purpose: 'Removes how far snapshots were of a subscription of this name that is gone, where that was left.',
    table: null,
  }
}

/** What {@link saveProgress} has kept; `null` where there is nothing. The error of a failure is `pg`'s. */
export async function readProgress(
  control: ControlConnection,
  { publications }: CaptureName,
): Promise<KeptProgress | null> {
  const [row] = await control.query<'content'>(READ_PROGRESS, [progressNote(publications.all), publications.all])
  const content = row?.content ?? null
  return content === null ? null : parseKept(Buffer.from(content, 'base64').toString())
}

/**
 * Removes what was kept: before the publication is removed that it goes with, and before a subscription begins. The error of a
 * failure is `pg`'s.
 */
export async function removeProgress(control: ControlConnection, publication: string): Promise<void> {
  await control.query(UNLINK_PROGRESS, [progressNote(publication), publication])
}

/**
 * Whether no change of a table was missed since something was kept.
 *
 * @param since the tables of which nothing was missed while nobody looked, and since when they are covered without a break.
 */
export function isUnbroken(oid: number, kept: KeptProgress, since: KeptProgress['since']): boolean {
  return since.has(oid) && (since.get(oid) ?? null) === (kept.since.get(oid) ?? null)
}

/** The first line says what the rest depends on. */
export function keptText({ since, text }: KeptProgress): string {
  return `${JSON.stringify({ version: 1, since: [...since] })}\n${text}`
}

/** What {@link keptText} says. What has no such line depends on nothing that is known. */
export function parseKept(kept: string): KeptProgress {
  const end = kept.indexOf('\n')
  const since = end < 0 ? null : sinceOf(kept.slice(0, end))
  return since === null ? { since: new Map(), text: kept } : { since, text: kept.slice(end + 1) }
}

function sinceOf(line: string): KeptProgress['since'] | null {
  try {
    const head: unknown = JSON.parse(line)
    return isHead(head) ? new Map(head.since) : null
  } catch {
    // Somebody else's text.
    return null
  }
}

function isHead(head: unknown): head is { readonly since: readonly (readonly [number, string | null])[] } {
  return typeof head === 'object' && head !== null && 'since' in head && Array.isArray(head.since)
}
