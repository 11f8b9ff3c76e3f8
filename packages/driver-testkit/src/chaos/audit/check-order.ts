import { ageOf, identityOf, rowOf } from '../handled-event.ts'
import type { DeliveredSequence } from './delivered-sequence.ts'

/** A row's changes are in the order in which they were made, and a transaction's changes are together. */
export function checkOrder({ tables }: DeliveredSequence): string[] {
  const violations: string[] = []
  for (const [table, sequence] of tables) {
    const ages = new Map<string, number>()
    const ended = new Set<string>()
    let transaction: string | null = null
    for (const { event } of sequence) {
      const row = rowOf(event)
      const age = ageOf(event)
      const before = ages.get(row)
      if (before !== undefined && before >= age) violations.push(`${identityOf(event)} comes after version ${before}`)
      ages.set(row, age)
      if (event.transaction === transaction) continue
      if (transaction !== null) ended.add(transaction)
      if (ended.has(event.transaction))
        violations.push(
          `transaction ${event.transaction} goes on at ${event.position}, after changes of another one of ${table}`,
        )
      transaction = event.transaction
    }
  }
  return violations
}
