import type { ChangeEvent, Row } from '@rowtap/core'
import type { TestDatabase } from '../postgres/test-database.ts'
import type { Collector } from './collector.ts'

/** Creates `public.<name> (id int PRIMARY KEY, v text)`, the table of most cases. */
export async function standardTable(database: TestDatabase, name: string, more = ''): Promise<void> {
  await database.query(`CREATE TABLE public.${name} (id int PRIMARY KEY, v text); ${more}`)
}

let lastMarker = 0

/**
 * The listener's events up to now, all of them: writes a marker into the table (a row with a negative id), waits for
 * it, and returns what came before it. What committed before another change began arrives before it.
 */
export async function eventsSoFar(
  database: TestDatabase,
  collector: Collector,
  table: string,
): Promise<readonly ChangeEvent[]> {
  lastMarker -= 1
  const id = lastMarker
  await database.query(`INSERT INTO public.${table} (id) VALUES ($1)`, [id])
  await collector.until((event) => event.kind === 'insert' && idOf(event) === id, `the marker ${id} in ${table}`)
  return collector.events.filter((event) => !isMarker(event))
}

function isMarker(event: ChangeEvent): boolean {
  const id = idOf(event)
  return typeof id === 'number' && id < 0
}

function idOf(event: ChangeEvent): unknown {
  const key: Row | null = event.key === null ? null : { ...event.key }
  return key?.['id']
}

/** The parts of an event that do not depend on the driver or on chance. */
export function shapesOf(events: readonly ChangeEvent[]): Row[] {
  return events.map((event) => {
    const shape: Row = { kind: event.kind, key: event.key }
    if (event.kind === 'insert' || event.kind === 'update') shape['new'] = event.new
    if (event.derivedFrom !== null) shape['derivedFrom'] = event.derivedFrom
    return shape
  })
}
