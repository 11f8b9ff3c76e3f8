import type { CaptureRequest, Position } from '@rowtap/core/driver'
import type { AttachedTable } from '../publication/attached-tables.ts'
import type { Link } from './link.ts'
import type { LinkOptions } from './open-link.ts'
import { openLink } from './open-link.ts'

/** What a link that was lost leaves behind. */
export interface LostLink {
  readonly link: Link
  /** The last position that anybody was told of; `null`: none. */
  readonly last: Position | null
  /** What was captured. */
  readonly requests: readonly CaptureRequest[]
}

/**
 * Makes the link that follows one that was lost, and sees to it that everything is captured that was. Where changes were
 * missed meanwhile, the link knows it.
 *
 * @throws RowtapError
 */
export async function linkAgain(options: LinkOptions, { link: former, last, requests }: LostLink): Promise<Link> {
  const { source, attached, host } = options
  const cause = await former.lost
  const { name } = former.prepared
  // What a subscription captured before may have no listener yet.
  const isCapturing = requests.length > 0 || attached.all.length > 0 || host.messages
  const link = await openLink(options, { name, inFlight: former.inFlight, last, isCapturing, cause })
  // Before the first change is decoded.
  link.relations.compare(requests)
  const { tables, uncovered, gap } = link.prepared
  const isPublished = ({ oid, kind }: AttachedTable): boolean =>
    tables.some((table) => table.oid === oid && (table.kind === kind || table.kind === 'all'))
  const isWhole = uncovered.length === 0 && attached.all.every(isPublished)
  // A subscription’s publications are as they were, unless somebody else had it meanwhile.
  if (source.isDurable && isWhole) return link
  attached.memberships.forget()
  if (requests.length === 0) {
    // Nobody listens yet to what the subscription had, and is to miss something of it without a word.
    const reason = uncovered.map((missed) => missed.reason).join(' ')
    if (gap === null && reason !== '') link.beginWithGap({ from: null, to: null, reason }, null)
    return link
  }
  try {
    const to = await link.unlessLost(() => link.tables.capture(requests, null))
    if (source.isDurable) {
      const reason =
        'Another process had the subscription, or somebody altered its publications, and captured less: changes until now may have been missed.'
      // Where it began anew, that is why its publications hold less.
      link.beginWithGap({ from: gap?.from ?? null, to, reason: gap?.reason ?? reason }, null)
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
