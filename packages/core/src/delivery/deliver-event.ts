import type { ChangeEvent } from '../event.ts'
import type { TableName } from '../contract/table-name.ts'
import { formatTableName } from '../contract/table-name.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { CallFailure, CallOptions } from './event-call.ts'
import { callHandlers } from './event-call.ts'
import type { EventHandlers } from './event-handlers.ts'
import type { TakenChange } from './taken-change.ts'

/** Takes an event whose handler failed for good. It counts as done when what this returns is. */
export type DeadLetterHandler = (event: ChangeEvent, error: RowtapError) => void | PromiseLike<void>

/** What becomes of an event whose handler failed for good. */
export type FailurePolicy = 'stop' | 'skip' | DeadLetterHandler

/** Whose event is delivered, and what is told about it. */
export interface EventReceiver extends CallOptions {
  readonly table: TableName
  readonly handlers: EventHandlers
  readonly onFailure: FailurePolicy
  /** The event is about to be with its handlers. */
  begun(event: ChangeEvent): void
  /** The handlers have returned without an error. */
  delivered(event: ChangeEvent, taken: TakenChange, milliseconds: number): void
  /** The event was passed over after its handler failed for good, as the listener asked for. */
  passedOver(event: ChangeEvent, taken: TakenChange, error: RowtapError, how: 'skip' | 'dead letter'): void
  /** The listener ended while an event of the change waited for a retry. */
  abandoned(taken: TakenChange): void
  /** The client has to stop. */
  failed(event: ChangeEvent, error: RowtapError): void
}

/**
 * The way from an event to a decision: its handlers, their retries, and what is done when they fail for good.
 *
 * @returns true: it is dealt with; false: the listener is at its end. A promise only if there is something to wait for.
 */
export function deliverEvent(
  event: ChangeEvent,
  taken: TakenChange,
  receiver: EventReceiver,
): boolean | Promise<boolean> {
  receiver.begun(event)
  const startedAt = performance.now()
  const outcome = callHandlers(receiver.handlers.of(event.kind), event, receiver)
  if (outcome instanceof Promise) return outcome.then((failure) => decide(failure, event, taken, receiver, startedAt))
  return decide(outcome, event, taken, receiver, startedAt)
}

function decide(
  failure: CallFailure | null,
  event: ChangeEvent,
  taken: TakenChange,
  receiver: EventReceiver,
  startedAt: number,
): boolean | Promise<boolean> {
  if (failure === null) {
    receiver.delivered(event, taken, performance.now() - startedAt)
    return true
  }
  if (receiver.signal.aborted && failure.attempts < receiver.retry.attempts) {
    receiver.abandoned(taken)
    return false
  }
  const error = handlerFailed(receiver.table, event, failure)
  switch (receiver.onFailure) {
    case 'stop':
      receiver.failed(event, error)
      return false
    case 'skip':
      receiver.passedOver(event, taken, error, 'skip')
      return true
    default:
      return toDeadLetter(error, event, taken, receiver.onFailure, receiver)
  }
}

async function toDeadLetter(
  error: RowtapError,
  event: ChangeEvent,
  taken: TakenChange,
  handler: DeadLetterHandler,
  receiver: EventReceiver,
): Promise<boolean> {
  try {
    await handler(event, error)
  } catch (cause) {
    receiver.failed(
      event,
      new RowtapError('ERR_HANDLER', {
        message: `${error.message} — and the dead-letter handler failed on it: ${reasonOf(cause)}`,
        cause,
        eventId: event.id,
        table: receiver.table,
      }),
    )
    return false
  }
  receiver.passedOver(event, taken, error, 'dead letter')
  return true
}

function handlerFailed(table: TableName, event: ChangeEvent, failure: CallFailure): RowtapError {
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
