import type { Driver } from '../contract/driver.ts'
import { RowtapError } from '../rowtap-error.ts'
import { checkOptionNames, invalidOptions } from './check-option-names.ts'
import { abortSignal } from './listen-request.ts'
import type { MessageRequest } from './message-request.ts'
import { messageRequest } from './message-request.ts'
import type { SubscriptionRequest } from './subscription-request.ts'
import { SUBSCRIPTION_OPTIONS, subscriptionRequest } from './subscription-request.ts'

/** A client's options, checked. */
export interface ConnectRequest {
  /** `null`: an ephemeral client. */
  readonly subscription: SubscriptionRequest | null
  /** `null`: no logical messages. */
  readonly messages: MessageRequest | null
  readonly signal: AbortSignal | null
  /** Handlers by signal; that each is known is checked where they are added. */
  readonly on: Readonly<Record<string, unknown>>
}

/**
 * Checks how a client is to be opened, before the driver is asked to.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS, ERR_CAPABILITY_UNSUPPORTED, ERR_DRIVER_CONTRACT
 */
export function connectRequest(driver: Driver, options: unknown): ConnectRequest {
  checkOptionNames('connect()', options, [...SUBSCRIPTION_OPTIONS, 'messages', 'signal', 'on'])
  const given: Readonly<Record<string, unknown>> = { ...options }
  return {
    subscription: subscriptionRequest(driver.capabilities, given),
    messages: messageRequest(driver.capabilities, given['messages']),
    signal: abortSignal('connect()', given['signal']),
    on: handlers(given['on']),
  }
}

/** Refuses what is not a driver, one written for another contract, and a Node that is too old for any. */
export function checkDriver(driver: Driver): void {
  // Types say that it is there; Node 20 says otherwise.
  if (typeof (Promise as { readonly withResolvers?: unknown }).withResolvers !== 'function') {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `rowtap needs Node 22 or later, and this is ${process.version}. Run the program with a newer Node.`,
    })
  }
  if (typeof driver !== 'object' || driver === null || typeof driver.open !== 'function') {
    throw invalidOptions('The first argument is a driver: walDriver({ connection }), for example.')
  }
  const { specification } = driver as { readonly specification: unknown }
  if (specification === 1) return
  throw new RowtapError('ERR_DRIVER_CONTRACT', {
    message: `The driver '${driver.name}' is written for contract ${String(specification)}, and this @rowtap/core knows contract 1: install versions that belong together.`,
  })
}

function handlers(given: unknown): Readonly<Record<string, unknown>> {
  if (given === undefined) return {}
  checkOptionNames(`'on'`, given, ['gap', 'reconnect', 'wait', 'passedOver', 'error', 'message'])
  return { ...given }
}
