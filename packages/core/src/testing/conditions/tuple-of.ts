import type { Tuple } from '../../contract/relation.ts'

/** A row as a driver hands it out. What `isSent` says no to was not sent. */
export function tupleOf(row: readonly (string | null)[], isSent: (index: number) => boolean = () => true): Tuple {
  return { text: (index) => (isSent(index) ? row[index] : undefined) }
}
