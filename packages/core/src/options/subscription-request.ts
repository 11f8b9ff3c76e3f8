import type { Capabilities } from '../capabilities/capabilities.ts'
import type { DurableSubscription } from '../contract/driver.ts'
import { checkCapability } from './check-capability.ts'
import { invalidOptions } from './check-option-names.ts'
import { oneOf } from './option-values.ts'
import { shownValue } from './value-kind.ts'

/** A client's durable subscription, checked. */
export interface SubscriptionRequest extends DurableSubscription {
  /** How long a resumed table's changes wait for a listener, in milliseconds after the first one was attached. */
  readonly resumeTimeoutMs: number
}

/** The options of `connect()` that are about its subscription. */
export const SUBSCRIPTION_OPTIONS: readonly ['subscription', 'wait', 'resumeTimeoutMs', 'onPositionLost'] = [
  'subscription',
  'wait',
  'resumeTimeoutMs',
  'onPositionLost',
]

const DEFAULT_RESUME_TIMEOUT_MS = 10_000

/**
 * Checks the options that are about the subscription; `null` where there is none.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS, ERR_CAPABILITY_UNSUPPORTED
 */
export function subscriptionRequest(
  capabilities: Capabilities,
  given: Readonly<Record<string, unknown>>,
): SubscriptionRequest | null {
  for (const option of SUBSCRIPTION_OPTIONS) {
    if (given[option] === undefined) continue
    checkCapability(capabilities, 'delivery.subscription', `the option '${option}'`)
    if (given['subscription'] === undefined) throw invalidOptions(`'${option}' is for clients with a 'subscription'.`)
  }
  if (given['subscription'] === undefined) return null
  return {
    name: subscriptionName(given['subscription']),
    wait: isWaiting(given['wait']),
    resumeTimeoutMs: resumeTimeoutMs(given['resumeTimeoutMs']),
    onPositionLost: oneOf('onPositionLost', given['onPositionLost'], ['stop', 'restart']),
  }
}

function subscriptionName(given: unknown): string {
  if (typeof given === 'string' && /^[a-z][a-z0-9_]{0,39}$/u.test(given)) return given
  throw invalidOptions(
    `'subscription' is a name of 1 to 40 lower-case letters (a to z), digits and underscores, beginning with a letter, not ${shownValue(given)}.`,
  )
}

function isWaiting(given: unknown): boolean {
  if (given === undefined) return true
  if (typeof given === 'boolean') return given
  throw invalidOptions(`'wait' is true or false, not ${shownValue(given)}.`)
}

function resumeTimeoutMs(given: unknown): number {
  if (given === undefined) return DEFAULT_RESUME_TIMEOUT_MS
  if (typeof given === 'number' && given >= 0) return given
  throw invalidOptions(`'resumeTimeoutMs' is a number of milliseconds, or Infinity, not ${shownValue(given)}.`)
}
