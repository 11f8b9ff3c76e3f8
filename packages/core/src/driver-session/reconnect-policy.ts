import { RowtapError } from '../rowtap-error.ts'
import { sqlstateOf } from '../driver-errors/server-error.ts'

/** How a lost connection is made again. */
export interface ReconnectOptions {
  /** About how long to wait before the second attempt, in milliseconds; from then on twice as long each time. Default: 100. */
  readonly minDelayMs?: number
  /** The longest wait between two attempts, in milliseconds. Default: 10,000. */
  readonly maxDelayMs?: number
  /** After how long without a connection to give up with ERR_CONNECTION_LOST, in milliseconds. Default: `Infinity`, never. */
  readonly giveUpAfterMs?: number
}

/** How a lost connection is made again: {@link ReconnectOptions} with the defaults filled in. */
export type ReconnectPolicy = Required<ReconnectOptions>

const PRESET: ReconnectPolicy = { minDelayMs: 100, maxDelayMs: 10_000, giveUpAfterMs: Infinity }

/**
 * The policy of a driver's option `reconnect`; `null`: a lost connection is the session's end.
 *
 * @param factory the function that was given the option, for messages: `'walDriver'`.
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function reconnectPolicy(factory: string, given: ReconnectOptions | false | undefined): ReconnectPolicy | null {
  const invalid = (message: string): RowtapError =>
    new RowtapError('ERR_INVALID_OPTIONS', { message: `${factory}: ${message}.` })
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

/** The server is short of something; somebody has cancelled a statement. */
const PASSING = /^(53...|57014)$/u

/**
 * Whether connecting again may help.
 *
 * @param passing SQLSTATEs of further errors that pass, where a driver knows some.
 */
export function isWorthTrying(error: RowtapError, passing: ReadonlySet<string> = new Set()): boolean {
  const sqlstate = sqlstateOf(error.cause) ?? ''
  if (PASSING.test(sqlstate) || passing.has(sqlstate)) return true
  return error.retryable && error.code !== 'ERR_SUBSCRIPTION_IN_USE'
}
