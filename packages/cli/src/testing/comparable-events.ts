import type { ChangeEvent } from '@rowtap/core'

/** What of a printed event is the same for every driver. Transactions are numbered in the order of their first change. */
export interface ComparableEvent extends Omit<ChangeEvent, 'id' | 'position' | 'transaction'> {
  readonly transaction: number
}

/** Reads lines of `tail --json`. */
export function comparableEvents(lines: readonly string[]): readonly ComparableEvent[] {
  const transactions = new Map<string, number>()
  return lines.map((line) => {
    const { id: _, position: __, transaction, ...event } = JSON.parse(line) as ChangeEvent
    const number = transactions.get(transaction.id) ?? transactions.size + 1
    transactions.set(transaction.id, number)
    return { ...event, transaction: number }
  })
}

/**
 * The same events, those of one row in their order. Which of different rows of one statement comes first is nothing that a
 * driver promises: MERGE changes them in any order, and a TRUNCATE of several tables is of all at once.
 */
export function byRow<E extends Pick<ComparableEvent, 'transaction' | 'schema' | 'table' | 'key'>>(
  events: readonly E[],
): readonly E[] {
  const rows = events.map((event) => ({
    event,
    row: JSON.stringify([event.transaction, event.schema, event.table, event.key]),
  }))
  return rows
    .toSorted((one, other) => (one.row < other.row ? -1 : Number(one.row > other.row)))
    .map(({ event }) => event)
}

/**
 * Leaves out what depends on the table's replica identity where a driver has no more than that: the old row, what is
 * derived from it, and from the new row the values that were not sent.
 */
export function withoutIdentityFields(
  events: readonly ComparableEvent[],
  unavailable: readonly (readonly string[])[],
): readonly Partial<ComparableEvent>[] {
  return events.map((event, index) => {
    const { old: _, changed: __, unavailable: ___, new: row, ...rest } = event
    const known = Object.entries(row ?? {}).filter(([column]) => unavailable[index]?.includes(column) !== true)
    return { ...rest, new: row === null ? null : Object.fromEntries(known) }
  })
}
