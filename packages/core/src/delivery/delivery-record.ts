import type { Client, Listener } from '../client.ts'
import type { TableName } from '../contract/table-name.ts'
import type { DeliveredEvent } from '../event.ts'
import { CHANNELS } from '../metrics/channels.ts'
import type { FailureMessage } from '../metrics/channels.ts'
import type { DeliveryTimes, DeliveryTiming } from '../metrics/delivery-times.ts'
import { delayOf } from '../metrics/delivery-times.ts'
import type { ListenerCounters } from '../metrics/listener-counters.ts'
import type { RowtapError } from '../rowtap-error.ts'

/** Whose deliveries are recorded. */
export interface RecordedListener {
  readonly listener: Listener
  readonly request: { readonly table: TableName }
  readonly counters: ListenerCounters
  readonly owner: { readonly client: Client | null; readonly times: DeliveryTimes | null }
}

/** An event's handlers have returned, or a loop has gone on from it: between these times, by `performance.now()`. */
export function recordDelivered(of: RecordedListener, event: DeliveredEvent, startedAt: number, endedAt: number): void {
  const durationMs = endedAt - startedAt
  const delayMs = delayOf(event, startedAt)
  of.counters.countDelivered(durationMs)
  of.owner.times?.delivered(event, durationMs, delayMs)
  const channel = CHANNELS['rowtap:deliver']
  if (channel.hasSubscribers) channel.publish({ ...about(of, event), durationMs, delayMs })
}

/** A handler failed for the so-manieth time, and will be called again in so many milliseconds. */
export function recordRetry(
  of: RecordedListener,
  event: DeliveredEvent,
  error: unknown,
  attempts: number,
  delayMs: number,
): void {
  of.counters.countRetried()
  const channel = CHANNELS['rowtap:retry']
  if (channel.hasSubscribers) channel.publish({ ...about(of, event), error, attempts, delayMs })
}

/** A handler failed for good. */
export function recordFailure(
  of: RecordedListener,
  event: DeliveredEvent,
  error: RowtapError,
  outcome: FailureMessage['outcome'],
  { durationMs, delayMs }: DeliveryTiming,
): void {
  of.counters.countFailed(outcome !== 'stop', durationMs)
  of.owner.times?.failed(durationMs, delayMs)
  const channel = CHANNELS['rowtap:failure']
  if (channel.hasSubscribers) channel.publish({ ...about(of, event), error, outcome, durationMs, delayMs })
}

function about(
  { listener, request, owner }: RecordedListener,
  event: DeliveredEvent,
): Pick<FailureMessage, 'client' | 'listener' | 'table' | 'event'> {
  return { client: owner.client, listener, table: request.table, event }
}
