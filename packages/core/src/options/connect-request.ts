import type { Capabilities } from '../capabilities/capabilities.ts'
import type { Driver } from '../contract/driver.ts'
import { RowtapError } from '../rowtap-error.ts'
import { checkCapability } from './check-capability.ts'
import { checkOptionNames, invalidOptions } from './check-option-names.ts'
import { abortSignal } from './listen-request.ts'
import { shownValue } from './value-kind.ts'

/** A client's options, checked. */
export interface ConnectRequest {
  readonly subscription: string | null
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
  checkOptionNames('connect()', options, ['subscription', 'signal', 'on'])
  const given: Readonly<Record<string, unknown>> = { ...options }
  return {
    subscription: subscription(driver.capabilities, given['subscription']),
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

function subscription(capabilities: Capabilities, given: unknown): string | null {
  if (given === undefined) return null
  checkCapability(capabilities, 'delivery.subscription', `the option 'subscription'`)
  if (typeof given === 'string' && given !== '') return given
  throw invalidOptions(`'subscription' is a name, a string that is not empty, and not ${shownValue(given)}.`)
}

function handlers(given: unknown): Readonly<Record<string, unknown>> {
  if (given === undefined) return {}
  checkOptionNames(`'on'`, given, ['gap', 'reconnect', 'wait', 'passedOver', 'error'])
  return { ...given }
}
