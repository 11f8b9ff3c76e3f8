import type { Position } from '@rowtap/core/driver'
import type { SourceGap } from './capture-source.ts'
import type { Link } from './link.ts'

/**
 * What is to be told where a standby has taken over that did not have what was delivered; `null` where it had.
 *
 * @param last the last position of the former link that anybody was told of.
 */
export function undoneGap(
  next: Pick<Link, 'inFlight'>,
  former: Pick<Link, 'inFlight'>,
  last: Position | null,
): SourceGap | null {
  const { history } = next.inFlight
  const partedAt = last === null ? null : history.partedFrom(former.inFlight.history, last)
  if (partedAt === null) return null
  return {
    from: last,
    to: history.positionAt(partedAt),
    reason:
      'The address leads to another server than before, which did not have the last changes of that one: some that were delivered never happened there.',
  }
}
