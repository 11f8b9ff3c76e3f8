import type { DeliveredEvent } from '../event.ts'
import type { TableName } from '../contract/table-name.ts'
import { formatTableName } from '../contract/table-name.ts'
import { delayOf } from '../metrics/delivery-times.ts'
import type { DeliveryTiming } from '../metrics/delivery-times.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { CallFailure, CallOptions } from './event-call.ts'
import type { EventHandlers } from './event-handlers.ts'
import type { TakenChange } from './taken-change.ts'

/** Takes an event whose handler failed for good. It counts as done when what this returns is. */
export type DeadLetterHandler = (event: DeliveredEvent, error: RowtapError) => void | PromiseLike<void>

/** What becomes of an event whose handler failed for good. */
export type FailurePolicy = 'stop' | 'skip' | DeadLetterHandler

/** Whose event is delivered, and what is told about it. */
export interface EventReceiver extends CallOptions {
  readonly table: TableName
  readonly handlers: EventHandlers
  readonly onFailure: FailurePolicy
  /** The handlers, which were called at a time by `performance.now()`, have returned without an error. */
  delivered(event: DeliveredEvent, taken: TakenChange, startedAt: number): void
  /** The event was passed over after its handler failed for good, as the listener asked for. */
  passedOver(
    event: DeliveredEvent,
    taken: TakenChange,
    error: RowtapError,
    how: 'skip' | 'dead letter',
    timing: DeliveryTiming,
  ): void
  /** The listener ended while an event of the change waited for a retry. */
  abandoned(taken: TakenChange): void
  /** The client has to stop. */
  failed(event: DeliveredEvent, error: RowtapError, timing: DeliveryTiming): void
}

/**
 * Decides what becomes of an event whose handlers have failed.
 *
 * @param startedAt when they were called first, by `performance.now()`.
 * @returns true: it is dealt with; false: the listener is at its end. A promise only if there is something to wait for.
 */
export function concludeFailure(
  failure: CallFailure,
  event: DeliveredEvent,
  taken: TakenChange,
  receiver: EventReceiver,
  startedAt: number,
): boolean | Promise<boolean> {
  const durationMs = performance.now() - startedAt
  if (receiver.signal.aborted && failure.attempts < receiver.retry.attempts) {
    receiver.abandoned(taken)
    return false
  }
  const error = handlerFailed(receiver.table, event, failure)
  // Before a dead-letter handler has the event: the time that it takes is not the handlers'.
  const timing = { durationMs, delayMs: delayOf(event, startedAt) }
  switch (receiver.onFailure) {
    case 'stop':
      receiver.failed(event, error, timing)
      return false
    case 'skip':
      receiver.passedOver(event, taken, error, 'skip', timing)
      return true
    default:
      return toDeadLetter(error, event, taken, receiver.onFailure, receiver, timing)
  }
}

async function toDeadLetter(
  error: RowtapError,
  event: DeliveredEvent,
  taken: TakenChange,
  handler: DeadLetterHandler,
  receiver: EventReceiver,
  timing: DeliveryTiming,
): Promise<boolean> {
  try {
    await handler(event, error)
  } catch (reason) {
    const message = `${error.message} — and the dead-letter handler failed on it: ${reasonOf(reason)}`
    // Neither of the two explains the other: whoever looks for the handler's own error must not find the other's alone.
    const cause = new AggregateError([error.cause, reason], message)
    const both = new RowtapError('ERR_HANDLER', { message, cause, eventId: event.id, table: receiver.table })
    receiver.failed(event, both, timing)
    return false
  }
  receiver.passedOver(event, taken, error, 'dead letter', timing)
  return true
}

function handlerFailed(table: TableName, event: DeliveredEvent, failure: CallFailure): RowtapError {
  const times = failure.attempts === 1 ? '' : ` (${failure.attempts} attempts)`
  return new RowtapError('ERR_HANDLER', {
    message: `A handler for ${formatTableName(table)} failed on ${event.kind} ${event.id}${times}: ${reasonOf(failure.error)}`,
    cause: failure.error,
    eventId: event.id,
    table,
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
