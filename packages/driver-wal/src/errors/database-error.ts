import type { RowtapError } from '@rowtap/core/driver'
import { connectionLost, errorText, sqlstateOf, statementError } from '@rowtap/core/driver'
import { SQLSTATE_CODES } from './sqlstate-codes.ts'

export { connectionLost, errorText as messageOf, sqlstateOf }

/** An error of a statement on an established connection, as the user sees it. */
export function databaseError(error: unknown, doing: string): RowtapError {
  return statementError(error, doing, SQLSTATE_CODES)
}
