import { RowtapError } from '@rowtap/core/driver'
import { sqlstateOf } from '../errors/database-error.ts'
import type { ReconnectOptions } from '../wal-driver-options.ts'

/** How a lost connection is made again: {@link ReconnectOptions} with the defaults filled in. */
export type ReconnectPolicy = Required<ReconnectOptions>

const PRESET: ReconnectPolicy = { minDelayMs: 100, maxDelayMs: 10_000, giveUpAfterMs: Infinity }

/**
 * The policy of a driver's options; `null`: a lost connection is the session's end.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function reconnectPolicy(given: ReconnectOptions | false | undefined): ReconnectPolicy | null {
  if (given === false) return null
  if (given !== undefined && (typeof given !== 'object' || given === null)) {
    throw invalid(`reconnect is false, or an object such as { minDelayMs: 100, maxDelayMs: 10000 }`)
  }
  const policy = { ...PRESET, ...given }
  for (const [name, value] of Object.entries(policy)) {
    if (!Object.hasOwn(PRESET, name)) throw invalid(`reconnect has no option ${JSON.stringify(name)}`)
    if (typeof value !== 'number' || !(value >= 0)) throw invalid(`reconnect.${name} is a number of milliseconds`)
  }
  return policy
}

/**
 * How long to wait before an attempt, in milliseconds: twice as long each time, and never the same for many clients
 * that lost their server at once.
 *
 * @param attempt the first is 1, and waits hardly at all.
 * @param random between 0 and 1.
 */
export function delayMs({ minDelayMs, maxDelayMs }: ReconnectPolicy, attempt: number, random: number): number {
  if (attempt === 1) return Math.min(minDelayMs, maxDelayMs) * random
  const whole = Math.min(minDelayMs * 2 ** (attempt - 2), maxDelayMs)
  return whole * (0.5 + random / 2)
}

/**
 * The slot is in use by a process of the server that is about to end; the server is short of something; somebody has
 * cancelled the stream; a publication was dropped while it was streamed, and is made anew, or missed when the connection is.
 */
const PASSING = /^(55006|53...|57014|42704)$/

/** Whether connecting again may help. */
export function isWorthTrying(error: RowtapError): boolean {
  if (PASSING.test(sqlstateOf(error.cause) ?? '')) return true
  return error.retryable && error.code !== 'ERR_SUBSCRIPTION_IN_USE'
}

function invalid(message: string): RowtapError {
  return new RowtapError('ERR_INVALID_OPTIONS', { message: `walDriver: ${message}.` })
}
