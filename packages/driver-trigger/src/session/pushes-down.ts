import type { CaptureRequest } from '@rowtap/core/driver'
import type { ShapeContent } from '../catalog/shape.ts'
import type { CapturedPart } from '../install/captured-part.ts'
import { listedColumns, ROW_OPERATIONS, WHOLE, WITHOUT_ROWS } from '../install/captured-part.ts'
import type { Conditions } from '../install/row-filter.ts'
import { conditionsOf } from '../install/row-filter.ts'
import type { LinkOptions } from './open-link.ts'

/** Whether what no listener wants is left out where it is written. */
export function pushesDown({ options }: Pick<LinkOptions, 'options'>): boolean {
  return options.pushdown === 'conditions'
}

/**
 * Which part of a table is to be captured for a session.
 *
 * @param kept the conditions that its subscription captured the table with before.
 */
export function wantedPart(
  session: Pick<LinkOptions, 'options'>,
  request: CaptureRequest,
  content: ShapeContent,
  kept: Conditions = null,
): CapturedPart {
  if (request.rows === false) return WITHOUT_ROWS
  if (!pushesDown(session)) return WHOLE
  const names = request.columns
  // One that has gone, or that is called otherwise now: core tells its listener.
  const isKnown = names !== null && [...names].every((name) => content.columns.some((column) => column.name === name))
  return {
    rows: true,
    operations: ROW_OPERATIONS.filter((operation) => request.operations.has(operation)),
    columns: isKnown ? listedColumns(names, content) : null,
    conditions: conditionsOf(request, content, kept),
  }
}
