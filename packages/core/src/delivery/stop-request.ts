import { DEFAULT_CLOSE_TIMEOUT_MS } from '../options/close-timeout-ms.ts'
import { checkOptionNames, invalidOptions } from '../options/check-option-names.ts'

/** How a listener is to be stopped, checked. */
export interface StopRequest {
  readonly timeoutMs: number
  readonly discard: boolean
}

/**
 * Checks the options of `stop()`.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function stopRequest(options: unknown): StopRequest {
  checkOptionNames('stop()', options, ['timeoutMs', 'discard'])
  const given: Readonly<Record<string, unknown>> = { ...options }
  const { timeoutMs = DEFAULT_CLOSE_TIMEOUT_MS, discard = false } = given
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0))
    throw invalidOptions(`'timeoutMs' is a number of milliseconds.`)
  if (typeof discard !== 'boolean') throw invalidOptions(`'discard' is true or false.`)
  return { timeoutMs, discard }
}
