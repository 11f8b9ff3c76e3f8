import type { PlannedStatement } from '@rowtap/core/driver'
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

/**
 * Keeps a text with a subscription, in place of the one before.
 *
 * @throws RowtapError
 */
export async function saveProgress(
  control: ControlConnection,
  { publications }: CaptureName,
  text: string,
): Promise<void> {
  const note = progressNote(publications.all)
  const values = [note, publications.all, Buffer.from(text)]
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

/** The text that {@link saveProgress} has kept; `null` where there is none. The error of a failure is `pg`'s. */
export async function readProgress(control: ControlConnection, { publications }: CaptureName): Promise<string | null> {
  const [row] = await control.query<'content'>(READ_PROGRESS, [progressNote(publications.all), publications.all])
  const content = row?.content ?? null
  return content === null ? null : Buffer.from(content, 'base64').toString()
}

/**
 * Removes what was kept: before the publication is removed that it goes with, and before tables are captured again of which
 * changes were missed. The error of a failure is `pg`'s.
 */
export async function removeProgress(control: ControlConnection, publication: string): Promise<void> {
  await control.query(UNLINK_PROGRESS, [progressNote(publication), publication])
}
