import { identityOf } from '../handled-event.ts'
import type { DeliveredSequence } from './delivered-sequence.ts'
import type { Life } from './handling.ts'

/**
 * Each life is given a part of each table's sequence without a hole in it: nothing twice, nothing skipped, positions
 * growing, transactions whole and one after another. And it begins no later than where those before it have come to.
 */
export function checkLives(lives: readonly Life[], { tables }: DeliveredSequence): string[] {
  const violations: string[] = []
  for (const [table, sequence] of tables) {
    const places = new Map(sequence.map(({ event }, place) => [event.id, place]))
    let next = 0
    for (const { name, handlings } of lives) {
      let last: number | null = null
      for (const { event } of handlings) {
        if (event.table !== table) continue
        const place = places.get(event.id) ?? 0
        const expected = last === null ? Math.min(place, next) : last + 1
        if (place > expected) {
          const missing = sequence[expected]?.event
          violations.push(
            `${name} was given ${identityOf(event)} ${last === null ? 'first' : 'next'}: ${place - expected} changes are skipped, at first ${missing === undefined ? 'none' : identityOf(missing)}`,
          )
        } else if (place < expected) {
          violations.push(
            `${name} was given ${identityOf(event)} at ${event.position} after ${sequence[last ?? 0]?.event.position}`,
          )
        }
        last = place
      }
      next = Math.max(next, (last ?? -1) + 1)
    }
  }
  return violations
}
