import type { CaptureRequest } from '@rowtap/core/driver'
import type { Link } from './link.ts'
import type { LinkOptions } from './open-link.ts'
import { openLink } from './open-link.ts'

/**
 * Makes the link that follows one that was lost, and sees to it that everything is captured that was. Where changes were
 * missed meanwhile, the link knows it.
 *
 * @param requests what was captured.
 * @throws RowtapError
 */
export async function linkAgain(
  options: LinkOptions,
  former: Link,
  requests: readonly CaptureRequest[],
): Promise<Link> {
  const { source, attached } = options
  const cause = await former.lost
  const link = await openLink(options, { name: former.prepared.name, cause })
  // Before the first change is decoded.
  link.relations.compare(requests)
  const isPublished = ({ oid }: { readonly oid: number }): boolean =>
    link.prepared.tables.some((table) => table.oid === oid)
  // A subscription’s publications are as they were, unless another process had it meanwhile.
  if (requests.length === 0 || (source.isDurable && attached.all.every(isPublished))) return link
  try {
    const to = await link.unlessLost(() => link.tables.capture(requests))
    if (source.isDurable) {
      const reason = 'Another process had the subscription, and captured less: changes until now may have been missed.'
      link.beginWithGap({ from: null, to, reason }, null)
    } else {
      link.beginWithGap({ from: null, to, reason: `${cause.message} Changes until now were missed.` }, to)
    }
    return link
  } catch (error) {
    if (link.isLost) await link.abandon()
    else await link.end()
    throw error
  }
}
