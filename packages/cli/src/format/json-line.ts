import type { DeliveredEvent } from '@rowtap/core'

/**
 * One event as one line of JSON without its line break: the fields of every event in this order, and no other but a signal's operation.
 * Values must be in terms of JSON already.
 */
export function jsonLine(event: DeliveredEvent): string {
  return JSON.stringify({
    id: event.id,
    kind: event.kind,
    ...(event.kind === 'signal' ? { operation: event.operation } : {}),
    schema: event.schema,
    table: event.table,
    key: event.key,
    new: event.new,
    old: event.old,
    changed: event.changed,
    unavailable: event.unavailable,
    derivedFrom: event.derivedFrom,
    position: event.position,
    transaction: transactionOf(event),
  })
}

function transactionOf({ transaction }: DeliveredEvent): object | null {
  if (transaction === null) return null
  return { id: transaction.id, commitTime: transaction.commitTime?.toISOString() ?? null }
}
