import { sqlstateOf } from '../driver-errors/server-error.ts'
import { checkOptionNames } from '../options/check-option-names.ts'
import { numberOption } from '../options/option-values.ts'
import type { RowtapError } from '../rowtap-error.ts'

/** How a lost connection is made again. */
export interface ReconnectOptions {
  /**
   * About how long to wait before the second attempt, in milliseconds; from then on twice as long each time. Default: 100, or
   * `maxDelayMs` where that is less.
   */
  readonly minDelayMs?: number
  /** The longest wait between two attempts, in milliseconds. Default: 10,000, or `minDelayMs` where that is more. */
  readonly maxDelayMs?: number
  /** After how long without a connection to give up with ERR_CONNECTION_LOST, in milliseconds. Default: `Infinity`, never. */
  readonly giveUpAfterMs?: number
}

/** How a lost connection is made again: {@link ReconnectOptions} with the defaults filled in. */
export type ReconnectPolicy = Required<ReconnectOptions>

const DEFAULT_MIN_DELAY_MS = 100
const DEFAULT_MAX_DELAY_MS = 10_000
// A timer that is set to more than 24 days is over at once.
const LONGEST_DELAY_MS = 86_400_000

/**
 * The policy of a driver's option `reconnect`; `null`: a lost connection is the session's end.
 *
 * @param factory the function that was given the option, for messages: `'walDriver'`.
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function reconnectPolicy(factory: string, given: ReconnectOptions | false | undefined): ReconnectPolicy | null {
  if (given === false) return null
  if (given === undefined) return reconnectPolicy(factory, {})
  const where = `${factory}()`
  checkOptionNames(`${where}: 'reconnect'`, given, ['minDelayMs', 'maxDelayMs', 'giveUpAfterMs'])
  const delay = (option: 'minDelayMs' | 'maxDelayMs', preset: number, least: number): number =>
    numberOption(where, `reconnect.${option}`, given[option], preset, {
      least,
      most: LONGEST_DELAY_MS,
      of: 'milliseconds',
    })
  const first = delay('minDelayMs', DEFAULT_MIN_DELAY_MS, 0)
  const isFirstGiven = given.minDelayMs !== undefined
  const maxDelayMs = delay('maxDelayMs', Math.max(DEFAULT_MAX_DELAY_MS, first), isFirstGiven ? first : 0)
  const giveUpAfterMs = numberOption(where, 'reconnect.giveUpAfterMs', given.giveUpAfterMs, Infinity, {
    least: 0,
    of: 'milliseconds',
  })
  return { minDelayMs: Math.min(first, maxDelayMs), maxDelayMs, giveUpAfterMs }
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

/** The server is short of something; a deadlock had to end; somebody has cancelled a statement. */
const PASSING = /^(53...|40P01|57014)$/u

/** Whether a statement failed for what passes: the same may succeed on the same connection. */
export function isPassing(error: RowtapError): boolean {
  return PASSING.test(sqlstateOf(error.cause) ?? '')
}

/**
 * Whether connecting again may help.
 *
 * @param passing SQLSTATEs of further errors that pass, where a driver knows some.
 */
export function isWorthTrying(error: RowtapError, passing: ReadonlySet<string> = new Set()): boolean {
  if (isPassing(error) || passing.has(sqlstateOf(error.cause) ?? '')) return true
  return error.retryable && error.code !== 'ERR_SUBSCRIPTION_IN_USE'
}
