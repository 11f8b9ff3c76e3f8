import type { ChangeEvent } from '@rowtap/core'

/** The values of the column `id`, which is the key of the standard table, event by event. */
export function numbersOf(events: readonly ChangeEvent[]): readonly number[] {
  return events.map((event) => {
    const key: Readonly<Record<string, unknown>> = { ...event.key }
    return Number(key['id'])
  })
}
