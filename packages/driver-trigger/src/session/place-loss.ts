import type { RowtapError } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { lackingParts } from '../install/lack-of-parts.ts'
import { changesDropped, leaseLost, placeRemoved } from '../queue/tick-source.ts'
import { FIND_DROPPED } from '../sql/limit-statements.ts'

/**
 * Why a client that runs has no place in the queue any more.
 *
 * @param isLeased whether its lease had not run out.
 */
export async function placeLoss(
  control: Connection,
  { schema, consumer, isLeased }: { readonly schema: string; readonly consumer: string; readonly isLeased: boolean },
): Promise<RowtapError> {
  const lacking = await lackingParts(control, schema).catch(() => null)
  if (lacking !== null) return lacking
  const [found] = await control.rows<{ dropped: string | null }>(FIND_DROPPED, [consumer]).catch(() => [])
  const dropped = found?.dropped ?? null
  if (dropped !== null) return changesDropped(dropped)
  return isLeased ? placeRemoved() : leaseLost()
}
