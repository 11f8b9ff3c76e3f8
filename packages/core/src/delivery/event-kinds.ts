import type { EventKind } from '../event.ts'
import { invalidOptions } from '../options/check-option-names.ts'

const OF_ROWS: readonly (EventKind | 'change')[] = ['insert', 'update', 'delete', 'truncate', 'snapshot', 'change']

const WITHOUT_ROWS: readonly (EventKind | 'change')[] = ['signal', 'change']

/**
 * Refuses a kind of events that a listener does not have.
 *
 * @param hasRows whether its events have rows.
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function checkEventKind(kind: unknown, hasRows: boolean): void {
  const kinds = hasRows ? OF_ROWS : WITHOUT_ROWS
  if (kinds.some((known) => known === kind)) return
  const subject = hasRows ? 'A listener' : `A listener with 'rows: false'`
  throw invalidOptions(`${subject} has events ${kinds.join(', ')}, not ${JSON.stringify(kind)}.`)
}
