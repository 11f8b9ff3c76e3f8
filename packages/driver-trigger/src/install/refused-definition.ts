import { errorText, RowtapError, sqlstateOf } from '@rowtap/core/driver'
import type { Queries } from '../connection/connection.ts'
import { INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, UNDEFINED_OBJECTS } from '../errors/sqlstate.ts'
import type { Sql } from '../sql/sql.ts'

/** PostgreSQL has refused to change what is defined, for a reason that is not rowtap's and may last: a user's event trigger, most often. */
export class RefusedDefinition extends RowtapError {}

/** Connection, state of the transaction, conflicts, resources, cancellation: what has nothing to do with the statement. */
const OTHER_CLASSES: ReadonlySet<string> = new Set(['08', '25', '28', '40', '53', '57'])

/**
 * Runs a statement that creates or drops something.
 *
 * @param doing what it does, after "PostgreSQL refused to".
 * @param shown what a user who may can run instead; `null`: nothing that is short.
 * @throws RefusedDefinition (ERR_SETUP_REQUIRED) with what to do.
 */
export async function define(
  queries: Queries,
  statement: Sql | string,
  doing: string,
  shown: string | null = typeof statement === 'string' ? statement : null,
): Promise<void> {
  try {
    await queries.run(statement)
  } catch (error) {
    const cause = RowtapError.is(error) ? error.cause : error
    if (!isRefusal(cause)) throw error
    const run = shown === null ? '.' : `, or run: ${shown};`
    throw new RefusedDefinition('ERR_SETUP_REQUIRED', {
      message: `PostgreSQL refused to ${doing}: ${errorText(cause)} (SQLSTATE ${sqlstateOf(cause) ?? ''}). An event trigger can be the reason (\\dy in psql). Have it allow that to the role of the connection${run}`,
      cause,
    })
  }
}

function isRefusal(cause: unknown): boolean {
  const state = sqlstateOf(cause)
  if (state === null || state === LOCK_NOT_AVAILABLE || OTHER_CLASSES.has(state.slice(0, 2))) return false
  // A definition runs none of our functions: whatever has failed within one is somebody else's.
  if (hasContext(cause)) return true
  return state !== INSUFFICIENT_PRIVILEGE && !UNDEFINED_OBJECTS.has(state)
}

/** Whether a function has failed, as the server says where that was. */
function hasContext(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'where' in cause && typeof cause.where === 'string'
}
