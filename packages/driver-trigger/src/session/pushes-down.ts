import type { CaptureRequest } from '@rowtap/core/driver'
import type { ShapeContent } from '../catalog/shape.ts'
import type { Conditions } from '../install/row-filter.ts'
import { conditionsOf } from '../install/row-filter.ts'
import type { LinkOptions } from './open-link.ts'

/**
 * Whether rows that no listener wants are left out where they are written. A subscription goes on with listeners that nobody
 * knows yet, which are to be given everything since.
 */
export function pushesDown({ options, host }: Pick<LinkOptions, 'options' | 'host'>): boolean {
  return options.pushdown === 'conditions' && host.subscription === null
}

/** Which rows of a table are to be captured for a session; `null`: all. */
export function wantedRows(
  session: Pick<LinkOptions, 'options' | 'host'>,
  request: CaptureRequest,
  content: ShapeContent,
): Conditions {
  return pushesDown(session) ? conditionsOf(request, content) : null
}
