import type { ChangeEvent } from '../event.ts'

/**
 * A text that is the same for events of one key; `null` for an event that concerns every key. Different keys may share
 * a text: they are then kept in order although they need not be.
 */
export function keyTextOf(event: ChangeEvent): string | null {
  return event.key === null ? null : Object.values(event.key).map(valueText).join('\0')
}

function valueText(value: unknown): string {
  if (value instanceof Date) return String(value.getTime())
  // What a type parser of the user's makes of a value need not have a text of its own.
  return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value)
}
