import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Client, Listener } from '../client.ts'
import type { Position } from '../contract/position.ts'
import type { TableName } from '../contract/table-name.ts'
import type { DeliveredEvent } from '../event.ts'
import type { RowtapError } from '../rowtap-error.ts'

/** Whose event a message is about. */
interface EventMessage {
  /** `null` where the listener has a client of its own: `listen(driver, …)`. */
  readonly client: Client | null
  readonly listener: Listener
  readonly table: TableName
  readonly event: DeliveredEvent
}

/** A batch of changes has come from the driver, and was offered to the listeners. */
export interface ReceiveMessage {
  readonly client: Client
  /** How many changes. */
  readonly changes: number
  /** How much memory they hold, as received. */
  readonly bytes: number
}

/** What the handlers of an event, or its loop, took. */
interface TimedMessage extends EventMessage {
  /** How long handlers, or a loop, took for the event: retries included, a dead-letter handler not, in milliseconds. */
  readonly durationMs: number
  /** How long after its commit the event was handed over, in milliseconds; `null` where the commit time is not known. */
  readonly delayMs: number | null
}

/** An event's handlers have returned, if it has any, or a loop has gone on from it. */
export type DeliverMessage = TimedMessage

/** A handler failed, and will be called again. */
export interface RetryMessage extends EventMessage {
  /** What the handler threw, as it threw it. */
  readonly error: unknown
  /** How many of its calls have failed for this event. */
  readonly attempts: number
  /** In how many milliseconds it is called again. */
  readonly delayMs: number
}

/** A handler failed for good. */
export interface FailureMessage extends TimedMessage {
  /** An ERR_HANDLER, as `onFailure` and the signals have it: its cause is what the handler threw. */
  readonly error: RowtapError
  /** What became of the event: it counts as done, or the client stops. */
  readonly outcome: 'skip' | 'dead letter' | 'stop'
}

/** A position was acknowledged: everything up to it is handled. */
export interface AcknowledgeMessage {
  readonly client: Client
  readonly position: Position
}

/**
 * What is published through `node:diagnostics_channel`, by the channel's name. Nothing is made for a channel that has
 * no subscriber. Subscribers run where the message is published: they should return soon.
 */
export interface ChannelMessages {
  readonly 'rowtap:receive': ReceiveMessage
  readonly 'rowtap:deliver': DeliverMessage
  readonly 'rowtap:retry': RetryMessage
  readonly 'rowtap:failure': FailureMessage
  readonly 'rowtap:acknowledge': AcknowledgeMessage
}

/** A channel of `node:diagnostics_channel`, for messages of one type. */
interface MessageChannel<M> {
  /** Asked before a message is made. */
  readonly hasSubscribers: boolean
  publish(message: M): void
}

/** The channels themselves. */
export const CHANNELS: { readonly [K in keyof ChannelMessages]: MessageChannel<ChannelMessages[K]> } = {
  'rowtap:receive': channel('rowtap:receive'),
  'rowtap:deliver': channel('rowtap:deliver'),
  'rowtap:retry': channel('rowtap:retry'),
  'rowtap:failure': channel('rowtap:failure'),
  'rowtap:acknowledge': channel('rowtap:acknowledge'),
}

/** Hears of every message of a channel, of all clients of this process. Returns the function that ends it. */
export function subscribeTo<K extends keyof ChannelMessages>(
  name: K,
  handler: (message: ChannelMessages[K]) => void,
): () => void {
  // Each subscription is a function of its own, so that ending one leaves its twin.
  const onMessage = (message: unknown): void => handler(message as ChannelMessages[K])
  subscribe(name, onMessage)
  return () => void unsubscribe(name, onMessage)
}
