import type { EventHandler } from '../client.ts'
import type { DeliveredEvent } from '../event.ts'
import type { CheckedRetryPolicy } from './retry-policy.ts'
import { retryDelayMs } from './retry-policy.ts'

/** What calling an event's handlers needs to know. */
export interface CallOptions {
  readonly retry: CheckedRetryPolicy
  /** Between 0 and 1, as `Math.random`. */
  random(): number
  /** Aborted when the listener ends: a handler that waits for its retry is not called again. */
  readonly signal: AbortSignal
  /** A handler failed for the so-manieth time, and will be called again in so many milliseconds. */
  onRetry(event: DeliveredEvent, failure: CallFailure, delayMs: number): void
}

/** The error of a handler whose attempts are used up, or whose listener ended before the next one. */
export interface CallFailure {
  readonly error: unknown
  readonly attempts: number
}

/**
 * Calls an event's handlers one after the other, waits for each that returns a promise, and tries a failing one again
 * as its policy says; those before it are not called again.
 *
 * @returns `null` when all are done, or the failure. A promise only if there is something to wait for: an await for
 *   each event would cost more than the event.
 */
export function callHandlers(
  handlers: readonly EventHandler<DeliveredEvent>[],
  event: DeliveredEvent,
  options: CallOptions,
): CallFailure | null | Promise<CallFailure | null> {
  for (let index = 0; index < handlers.length; index++) {
    const outcome = attempt(handlers[index], event)
    if (outcome === DONE) continue
    if (!('pending' in outcome)) return callFrom(handlers, index, outcome, event, options)
    const rest = index + 1
    return Promise.resolve(outcome.pending).then(
      () => (rest === handlers.length ? null : callFrom(handlers, index, DONE, event, options)),
      // Only what fails, and what follows, is worth the promises that a loop with awaits makes for each event.
      (error: unknown) => callFrom(handlers, index, { error }, event, options),
    )
  }
  return null
}

const DONE = Symbol('done')

type Outcome = typeof DONE | { readonly pending: PromiseLike<void> } | { readonly error: unknown }

function attempt(handler: EventHandler<DeliveredEvent> | undefined, event: DeliveredEvent): Outcome {
  try {
    const returned = handler?.(event)
    return isPromiseLike(returned) ? { pending: returned } : DONE
  } catch (error) {
    return { error }
  }
}

async function settle(outcome: Outcome): Promise<typeof DONE | { readonly error: unknown }> {
  if (outcome === DONE || !('pending' in outcome)) return outcome
  try {
    await outcome.pending
    return DONE
  } catch (error) {
    return { error }
  }
}

async function callFrom(
  handlers: readonly EventHandler<DeliveredEvent>[],
  start: number,
  first: Outcome,
  event: DeliveredEvent,
  options: CallOptions,
): Promise<CallFailure | null> {
  let outcome = await settle(first)
  for (let index = start; ;) {
    for (let attempts = 1; outcome !== DONE; attempts++) {
      const { error } = outcome
      if (attempts >= options.retry.attempts || options.signal.aborted) return { error, attempts }
      const delayMs = retryDelayMs(options.retry, attempts, () => options.random())
      options.onRetry(event, { error, attempts }, delayMs)
      if (!(await delay(delayMs, options.signal))) return { error, attempts }
      outcome = await settle(attempt(handlers[index], event))
    }
    index += 1
    if (index >= handlers.length) return null
    outcome = await settle(attempt(handlers[index], event))
  }
}

/** Resolves with true after so many milliseconds, or with false when the signal is aborted before. */
function delay(delayMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(false)
      return
    }
    const onAbort = (): void => {
      clearTimeout(timer)
      resolve(false)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve(true)
    }, delayMs)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

function isPromiseLike(value: unknown): value is PromiseLike<void> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
