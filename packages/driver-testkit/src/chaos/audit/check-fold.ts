import { isDeepStrictEqual } from 'node:util'
import { identityOf } from '../handled-event.ts'
import type { LedgerRow, TableRow } from '../ledger.ts'
import type { DeliveredSequence } from './delivered-sequence.ts'

/** The events, each applied once and in their order to empty tables, come to what the tables hold. */
export function checkFold(rows: readonly TableRow[], { tables }: DeliveredSequence): string[] {
  const violations: string[] = []
  const folds = new Map<string, Map<number, LedgerRow>>()
  for (const [table, sequence] of tables) {
    const fold = new Map<number, LedgerRow>()
    folds.set(table, fold)
    for (const { event } of sequence) {
      if (fold.has(event.key) !== (event.kind !== 'insert'))
        violations.push(
          `${identityOf(event)} cannot be: key ${event.key} is ${fold.has(event.key) ? 'there' : 'not there'}`,
        )
      if (event.new === null) fold.delete(event.key)
      else fold.set(event.key, event.new)
    }
  }
  for (const { relation, ...row } of rows) {
    const folded = folds.get(relation)?.get(row.id)
    folds.get(relation)?.delete(row.id)
    if (!isDeepStrictEqual(folded, row))
      violations.push(`${relation} holds ${JSON.stringify(row)}, and the events come to ${JSON.stringify(folded)}`)
  }
  for (const [table, fold] of folds)
    for (const row of fold.values())
      violations.push(`the events come to ${JSON.stringify(row)}, and ${table} has no such row`)
  return violations
}
