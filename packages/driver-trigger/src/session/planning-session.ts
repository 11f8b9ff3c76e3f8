import type { DriverSession } from '@rowtap/core/driver'
import { normaliseConstants, RowtapError, SQLSTATE_MEANINGS, statementError } from '@rowtap/core/driver'
import { findTable } from '../catalog/find-table.ts'
import { progressStatements } from '../snapshot/saved-progress.ts'
import type { Link } from './link.ts'
import type { LinkOptions } from './open-link.ts'
import { firstPushdown, planFirstCapture } from './plan-capture.ts'
import { pushesDown } from './pushes-down.ts'

/** A session that captures nothing, and tells what one that does would do. */
export function planningSession(context: LinkOptions, link: Link): DriverSession {
  const { control, columnTypes, relationOf, server } = link
  const unsupported = (): never => {
    throw new RowtapError('ERR_CLOSED', { message: 'The session is there to plan only.' })
  }
  let closed: Promise<void> | null = null
  return {
    usesConditions: pushesDown(context),
    progressStatements: progressStatements(context),
    describe: async (table) => {
      const found = await findTable(control, context.options.schema, table)
      await columnTypes.read(Number(found.oid))
      return relationOf({ oid: found.oid, name: table }, found.content).relation
    },
    normalise: async (constants) => {
      try {
        return await normaliseConstants(control.textRow)(constants)
      } catch (error) {
        throw statementError(error, 'read the constants of a condition', SQLSTATE_MEANINGS)
      }
    },
    plan: (requests) => planFirstCapture({ ...context, control, server }, requests),
    pushdown: (requests) => firstPushdown({ ...context, control }, requests),
    capture: async () => unsupported(),
    batches: unsupported,
    acknowledge: () => {},
    close: () => {
      closed ??= link.end()
      return closed
    },
  }
}
