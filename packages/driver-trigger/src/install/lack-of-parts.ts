import { RowtapError } from '@rowtap/core/driver'
import type { Queries } from '../connection/connection.ts'
import type { InstalledPart } from '../sql/installed-parts.ts'
import { FIND_INSTALLED_PARTS } from '../sql/installed-parts.ts'

/** What of a queue somebody has dropped, and what to do, in words; `null` where it is whole, or not there at all. */
export function lackOfParts(schema: string, parts: readonly InstalledPart[]): string | null {
  const missing = parts.filter(({ isThere }) => !isThere).map(({ kind, name }) => `the ${kind} ${name}`)
  if (missing.length === 0 || missing.length === parts.length) return null
  return `The queue in the schema ${schema} lacks ${missing.join(', ')}, which somebody has dropped: what is written to captured tables may fail. Remove the queue with \`rowtap uninstall\`, and start again: its subscriptions begin anew then, and what they had not handled is gone.`
}

/** The error for a queue of which somebody has dropped a part; `null` where it is whole. Its version has to be the latest. */
export async function lackingParts(queries: Queries, schema: string): Promise<RowtapError | null> {
  const lack = lackOfParts(schema, await queries.rows<InstalledPart>(FIND_INSTALLED_PARTS))
  return lack === null ? null : new RowtapError('ERR_SETUP_REQUIRED', { message: lack })
}

/**
 * Refuses a queue of which somebody has dropped a part. Its version has to be the latest, unless it has none.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED
 */
export async function checkParts(queries: Queries, schema: string): Promise<void> {
  const lacking = await lackingParts(queries, schema)
  if (lacking !== null) throw lacking
}
