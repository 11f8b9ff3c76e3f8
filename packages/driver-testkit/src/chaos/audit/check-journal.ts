import { isDeepStrictEqual } from 'node:util'
import type { HandledEvent, LedgerEvent } from '../handled-event.ts'
import { identityOf, journalEvents } from '../handled-event.ts'
import type { JournalEntry } from '../ledger.ts'
import type { DeliveredSequence } from './delivered-sequence.ts'

/** Everything that was committed has arrived, as it was, and nothing else has. */
export function checkJournal(journal: readonly JournalEntry[], { tables }: DeliveredSequence): string[] {
  const violations: string[] = []
  const delivered = new Map<string, HandledEvent>()
  for (const sequence of tables.values()) for (const { event } of sequence) delivered.set(identityOf(event), event)
  for (const entry of journal) {
    for (const expected of journalEvents(entry)) {
      const identity = identityOf(expected)
      const event = delivered.get(identity)
      delivered.delete(identity)
      if (event === undefined) violations.push(`missing: ${identity}, of transaction ${expected.transaction}`)
      else if (!isAsExpected(event, expected))
        violations.push(`${identity} is ${JSON.stringify(event)}, and was ${JSON.stringify(expected)}`)
    }
  }
  for (const [identity, { id, transaction }] of delivered)
    violations.push(`invented: ${identity}, of transaction ${transaction}, with id ${id}`)
  return violations
}

function isAsExpected(event: HandledEvent, expected: LedgerEvent): boolean {
  return (
    event.isHalf === expected.isHalf &&
    event.key === expected.key &&
    event.transaction === expected.transaction &&
    isDeepStrictEqual(event.new, expected.new) &&
    // A driver may know more of an old row than the replica identity promises.
    (expected.old === null || isDeepStrictEqual({ ...event.old, ...expected.old }, event.old))
  )
}
