import { identityOf } from '../handled-event.ts'
import type { DeliveredSequence } from './delivered-sequence.ts'
import type { AcknowledgedSample } from './handling.ts'

/** What the source took for handled at a moment had been handled by then. */
export function checkAcknowledged(samples: readonly AcknowledgedSample[], { tables }: DeliveredSequence): string[] {
  const violations: string[] = []
  const handled = [...tables.values()]
    .flat()
    .toSorted(({ event: a }, { event: b }) => (a.position < b.position ? -1 : 1))
  const sorted = samples.toSorted((a, b) => (a.acknowledged < b.acknowledged ? -1 : 1))
  let next = 0
  let latest = handled[0]
  for (const { acknowledged, handlings } of sorted) {
    for (let event = handled[next]; event !== undefined && event.event.position < acknowledged; event = handled[next]) {
      if (latest === undefined || event.order > latest.order) latest = event
      next += 1
    }
    if (next > 0 && latest !== undefined && latest.order >= handlings)
      violations.push(
        `everything before ${acknowledged} was acknowledged when ${handlings} handlings were done, and ${identityOf(latest.event)} at ${latest.event.position} was not handled yet`,
      )
  }
  return violations
}
