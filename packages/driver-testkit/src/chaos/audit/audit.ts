import type { JournalEntry, TableRow } from '../ledger.ts'
import { checkAcknowledged } from './check-acknowledged.ts'
import { checkFold } from './check-fold.ts'
import { checkJournal } from './check-journal.ts'
import { checkLives } from './check-lives.ts'
import { checkOrder } from './check-order.ts'
import { deliveredSequence } from './delivered-sequence.ts'
import type { AcknowledgedSample, Life } from './handling.ts'

/** What a run that is over has left. */
export interface Remains {
  readonly lives: readonly Life[]
  readonly journal: readonly JournalEntry[]
  readonly rows: readonly TableRow[]
  readonly samples: readonly AcknowledgedSample[]
}

/** Everything that is wrong with what was delivered so far, whatever is still to come, as sentences. */
export function auditLives(lives: readonly Life[]): string[] {
  const sequence = deliveredSequence(lives)
  return [...sequence.violations, ...checkLives(lives, sequence), ...checkOrder(sequence)]
}

/** Everything that is wrong with what was delivered, once nothing is to come, as sentences. */
export function auditRemains({ lives, journal, rows, samples }: Remains): string[] {
  const sequence = deliveredSequence(lives)
  return [
    ...sequence.violations,
    ...checkLives(lives, sequence),
    ...checkOrder(sequence),
    ...checkJournal(journal, sequence),
    ...checkFold(rows, sequence),
    ...checkAcknowledged(samples, sequence),
  ]
}
