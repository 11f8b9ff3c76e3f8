import type { DeadLetterHandler, FailurePolicy } from '../delivery/conclude-failure.ts'
import type { CheckedRetryPolicy } from '../delivery/retry-policy.ts'
import { checkOptionNames, invalidOptions } from './check-option-names.ts'
import { oneOf, wholeNumber } from './option-values.ts'

/** How a listener's events are handed over, with every default filled in. */
export interface DeliveryRequest {
  readonly concurrency: number
  readonly orderBy: 'key' | 'commit' | 'none'
  readonly retry: CheckedRetryPolicy
  readonly onFailure: FailurePolicy
  readonly ack: 'auto' | 'manual'
}

const DEFAULT_MIN_DELAY_MS = 100
const DEFAULT_MAX_DELAY_MS = 30_000

const NO_RETRY: CheckedRetryPolicy = {
  attempts: 1,
  minDelayMs: DEFAULT_MIN_DELAY_MS,
  maxDelayMs: DEFAULT_MAX_DELAY_MS,
}

/** Checks the options that say how events are handed over. */
export function deliveryRequest(given: Readonly<Record<string, unknown>>): DeliveryRequest {
  const concurrency = wholeNumber('concurrency', given['concurrency'], 1)
  const orderBy = oneOf('orderBy', given['orderBy'], ['key', 'commit', 'none'])
  if (orderBy === 'commit' && concurrency > 1) {
    throw invalidOptions(`'orderBy: commit' hands over one event at a time: leave 'concurrency' out, or order by key.`)
  }
  return {
    concurrency,
    orderBy,
    retry: retry(given['retry']),
    onFailure: onFailure(given['onFailure']),
    ack: oneOf('ack', given['ack'], ['auto', 'manual']),
  }
}

function retry(given: unknown): CheckedRetryPolicy {
  if (given === undefined) return NO_RETRY
  checkOptionNames(`'retry'`, given, ['attempts', 'minDelayMs', 'maxDelayMs'])
  const policy: Readonly<Record<string, unknown>> = { ...given }
  const minDelayMs = wholeNumber('retry.minDelayMs', policy['minDelayMs'], DEFAULT_MIN_DELAY_MS)
  const maxDelayMs = wholeNumber('retry.maxDelayMs', policy['maxDelayMs'], Math.max(DEFAULT_MAX_DELAY_MS, minDelayMs))
  if (maxDelayMs < minDelayMs) throw invalidOptions(`'retry.maxDelayMs' must not be less than 'retry.minDelayMs'.`)
  return { attempts: wholeNumber('retry.attempts', policy['attempts'], 1), minDelayMs, maxDelayMs }
}

function onFailure(given: unknown): FailurePolicy {
  if (isHandler(given)) return given
  return oneOf('onFailure', given, ['stop', 'skip'], 'a function')
}

function isHandler(given: unknown): given is DeadLetterHandler {
  return typeof given === 'function'
}
