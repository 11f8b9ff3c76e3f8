import type { DriverHost } from '@rowtap/core/driver'
import { inlineParameters, quoteIdentifier, Waiting } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { databaseError, sqlstateOf } from '../errors/database-error.ts'

const LOCK_NOT_AVAILABLE = '55P03'

/** The comment of a publication ($1). */
const COMMENT_OF = `
SELECT pg_catalog.obj_description(p.oid, 'pg_publication') AS text FROM pg_catalog.pg_publication AS p WHERE p.pubname = $1`

/** The text that {@link saveComment} has kept; `null` where there is none. The error of a failure is `pg`'s. */
export async function readComment(control: ControlConnection, publication: string): Promise<string | null> {
  const [row] = await control.query<'text'>(COMMENT_OF, [publication])
  return row?.text ?? null
}

/**
 * Keeps a text as the comment of a publication, so that nothing has to be made for it. Every role can read it.
 *
 * @param doing what it is kept for: "keep …".
 * @throws RowtapError
 */
export async function saveComment(
  control: ControlConnection,
  { publication, text, doing }: { readonly publication: string; readonly text: string; readonly doing: string },
  host: Pick<DriverHost, 'signal' | 'notify'>,
): Promise<void> {
  const waiting = new Waiting(host)
  for (;;) {
    try {
      await control.attempt(commentOn(publication, text))
      return
    } catch (error) {
      if (sqlstateOf(error) !== LOCK_NOT_AVAILABLE) throw databaseError(error, doing)
      await waiting.pause(`Waiting for a lock on the publication, to ${doing}.`, [])
    }
  }
}

/** The statement that makes a text the comment of a publication. */
export function commentOn(publication: string, text: string): string {
  // Comments take no parameters.
  return inlineParameters(`COMMENT ON PUBLICATION ${quoteIdentifier(publication)} IS $1`, [text])
}

/** The same with a name for a text that only running it can tell. */
export function plannedComment(publication: string, name: string): string {
  return `COMMENT ON PUBLICATION ${quoteIdentifier(publication)} IS :${name}`
}
