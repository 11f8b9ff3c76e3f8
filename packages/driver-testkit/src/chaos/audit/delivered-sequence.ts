import { isDeepStrictEqual } from 'node:util'
import type { HandledEvent } from '../handled-event.ts'
import { identityOf } from '../handled-event.ts'
import { LEDGER_TABLES } from '../ledger.ts'
import type { Handling, Life } from './handling.ts'

/** Each event once, as it was handled first, by table and in the order of the positions. */
export interface DeliveredSequence {
  readonly tables: ReadonlyMap<string, readonly Handling[]>
  /** What is wrong with what was delivered more than once, as sentences. */
  readonly violations: readonly string[]
}

/**
 * Reduces the lives to the events that were delivered, as a receiver does that knows them by their ids: what is delivered
 * again has the same id and content, and no other change has that id.
 */
export function deliveredSequence(lives: readonly Life[]): DeliveredSequence {
  const violations: string[] = []
  const byId = new Map<string, Handling>()
  const idOf = new Map<string, string>()
  for (const { name, handlings } of lives) {
    for (const handling of handlings) {
      const { event } = handling
      const known = byId.get(event.id)
      if (known === undefined) {
        byId.set(event.id, handling)
        const identity = identityOf(event)
        const other = idOf.get(identity)
        if (other !== undefined)
          violations.push(`${name} was given ${identity} with id ${event.id}: the same change had id ${other} before`)
        idOf.set(identity, event.id)
      } else if (!isDeepStrictEqual(known.event, event)) {
        violations.push(
          `${name} was given id ${event.id} with other content than before: ${difference(known.event, event)}`,
        )
      }
    }
  }
  const tables = new Map<string, Handling[]>(LEDGER_TABLES.map(({ name }) => [name, []]))
  for (const handling of byId.values()) tables.get(handling.event.table)?.push(handling)
  for (const handlings of tables.values()) {
    handlings.sort(byPosition)
    for (const [index, { event }] of handlings.entries()) {
      const before = handlings[index - 1]?.event
      if (
        before?.position === event.position &&
        !(before.isHalf && event.isHalf && before.kind === 'delete' && event.kind === 'insert')
      ) {
        violations.push(
          `two changes have the position ${event.position}: ${identityOf(before)}, and ${identityOf(event)}`,
        )
      }
    }
  }
  return { tables, violations }
}

/** The halves of an update that changed the key have one position: the delete comes first. */
function byPosition({ event: a }: Handling, { event: b }: Handling): number {
  if (a.position !== b.position) return a.position < b.position ? -1 : 1
  return a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0
}

function difference(before: HandledEvent, now: HandledEvent): string {
  return identityOf(before) === identityOf(now)
    ? `${JSON.stringify(before)}, now ${JSON.stringify(now)}`
    : `${identityOf(before)}, now ${identityOf(now)}`
}
