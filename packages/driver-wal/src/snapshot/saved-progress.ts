import type { DriverHost, PlannedStatement } from '@rowtap/core/driver'
import { inlineParameters, quoteIdentifier } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { databaseError, sqlstateOf } from '../errors/database-error.ts'
import type { CaptureName } from '../publication/capture-name.ts'
import { Waiting } from '../session/waiting.ts'

const LOCK_NOT_AVAILABLE = '55P03'

/** The comment of a publication ($1). */
const COMMENT_OF = `
SELECT obj_description(p.oid, 'pg_publication') AS text FROM pg_publication AS p WHERE p.pubname = $1`

/**
 * Keeps a text with a subscription: as the comment of its first publication, so that nothing has to be made for it.
 *
 * @throws RowtapError
 */
export async function saveProgress(
  control: ControlConnection,
  { publications }: CaptureName,
  text: string,
  host: DriverHost,
): Promise<void> {
  // Comments take no parameters.
  const statement = inlineParameters(`COMMENT ON PUBLICATION ${quoteIdentifier(publications.all)} IS $1`, [text])
  const waiting = new Waiting(host)
  for (;;) {
    try {
      await control.query(statement)
      return
    } catch (error) {
      if (sqlstateOf(error) !== LOCK_NOT_AVAILABLE) throw databaseError(error, 'keep how far the snapshots are')
      await waiting.pause('Waiting for a lock on the publication, to keep how far the snapshots are.', [])
    }
  }
}

/** What {@link saveProgress} executes. */
export function progressStatements({ publications }: CaptureName): readonly PlannedStatement[] {
  return [
    {
      sql: `COMMENT ON PUBLICATION ${quoteIdentifier(publications.all)} IS :progress`,
      purpose: 'Keeps with the subscription how far its snapshots are; at most once a second while one is read.',
      table: null,
    },
  ]
}

/** The text that {@link saveProgress} has kept; `null` where there is none. The error of a failure is `pg`'s. */
export async function readProgress(control: ControlConnection, { publications }: CaptureName): Promise<string | null> {
  const [row] = await control.query<'text'>(COMMENT_OF, [publications.all])
  return row?.text ?? null
}
