import type { DeliveredEvent } from '@rowtap/core'
import { inspect } from 'node:util'

/** An event in a few words, for the message of a failure. */
export function describeEvent(event: DeliveredEvent): string {
  const key = event.key === null ? '' : ` ${inspect({ ...event.key }, { breakLength: Infinity, maxStringLength: 40 })}`
  const derived = event.derivedFrom === null ? '' : ` (of an ${event.derivedFrom})`
  return `${event.kind} ${event.table}${key}${derived}`
}
