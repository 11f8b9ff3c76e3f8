import type { Capabilities } from '../capabilities/capabilities.ts'
import { checkCapability } from './check-capability.ts'
import { invalidOptions } from './check-option-names.ts'
import { shownValue } from './value-kind.ts'

/** The options that a listener without rows has. */
const WITHOUT_ROWS: readonly string[] = [
  'table',
  'rows',
  'operations',
  'concurrency',
  'retry',
  'onFailure',
  'ack',
  'signal',
]

/**
 * Whether a listener wants rows, of its options as they were given.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS where it wants none, and has options about rows; ERR_CAPABILITY_UNSUPPORTED
 */
export function wantsRows(capabilities: Capabilities, given: Readonly<Record<string, unknown>>): boolean {
  const { rows } = given
  if (rows === undefined || rows === true) return true
  if (rows !== false) throw invalidOptions(`'rows' is true or false, not ${shownValue(rows)}.`)
  checkCapability(capabilities, 'listeners.withoutRows', `the option 'rows: false'`)
  const other = Object.keys(given).find((name) => given[name] !== undefined && !WITHOUT_ROWS.includes(name))
  if (other === undefined) return false
  throw invalidOptions(
    `With 'rows: false' a listener has no option '${other}': it is told that its table has changed, and has no rows to choose from. Leave one of the two out.`,
  )
}
