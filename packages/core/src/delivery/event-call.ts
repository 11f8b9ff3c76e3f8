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

/** A handler that has to be waited for: those before it are done. */
export interface PendingHandler {
  readonly index: number
  /** Rejects where the handler fails, or has failed. */
  readonly promise: Promise<unknown>
}

/**
 * Calls an event's handlers, one after the other, up to the first that has to be waited for, or fails.
 *
 * @param start which of them is called first.
 * @returns that one; `null`: all of them are done. An await for each event would cost more than the event.
 */
export function callHandlers(
  handlers: readonly EventHandler<DeliveredEvent>[],
  event: DeliveredEvent,
  start: number,
): PendingHandler | null {
  for (let index = start; index < handlers.length; index++) {
    const promise = attempt(handlers[index], event)
    if (promise !== null) return { index, promise }
  }
  return null
}

function attempt(handler: EventHandler<DeliveredEvent> | undefined, event: DeliveredEvent): Promise<unknown> | null {
  try {
    const returned = handler?.(event)
    return isPromiseLike(returned) ? Promise.resolve(returned) : null
  } catch (error) {
    return Promise.reject(error)
  }
}

/**
 * Calls a handler that has failed again, as its policy says, until it is done.
 *
 * @returns `null` when it is, or the last failure.
 */
export async function retryHandler(
  handler: EventHandler<DeliveredEvent> | undefined,
  event: DeliveredEvent,
  firstError: unknown,
  options: CallOptions,
): Promise<CallFailure | null> {
  let error = firstError
  for (let attempts = 1; ; attempts++) {
    if (attempts >= options.retry.attempts || options.signal.aborted) return { error, attempts }
    const delayMs = retryDelayMs(options.retry, attempts, () => options.random())
    options.onRetry(event, { error, attempts }, delayMs)
    if (!(await delay(delayMs, options.signal))) return { error, attempts }
    try {
      await attempt(handler, event)
      return null
    } catch (reason) {
      error = reason
    }
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
