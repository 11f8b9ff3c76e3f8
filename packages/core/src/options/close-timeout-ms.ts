import { checkOptionNames, invalidOptions } from './check-option-names.ts'
import { shownValue } from './value-kind.ts'

/** How long handlers may take to finish when a client closes, in milliseconds, unless its user says otherwise. */
export const DEFAULT_CLOSE_TIMEOUT_MS = 10_000

/** Checks the options of `close()`. */
export function closeTimeoutMs(options: unknown): number {
  checkOptionNames('close()', options, ['timeoutMs'])
  const given: Readonly<Record<string, unknown>> = { ...options }
  const { timeoutMs = DEFAULT_CLOSE_TIMEOUT_MS } = given
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return timeoutMs
  throw invalidOptions(`'timeoutMs' is a number of milliseconds, 0 or more, and not ${shownValue(timeoutMs)}.`)
}
