import type { ChangeEvent, DeliveredEvent, Row } from '@rowtap/core'
import assert from 'node:assert/strict'
import { describeEvent } from './describe-event.ts'
import { keyText } from './key-text.ts'

/** How events are applied. */
export interface FoldOptions {
  /**
   * Fail on an event that cannot be: an insert of a row that is there, an update or delete of one that is not.
   * Default: true. Without it an update may be an upsert, and a delete may be of a row never seen.
   */
  readonly strict?: boolean
  /** The columns of the key, for `start`. Default: `['id']`. */
  readonly key?: readonly string[]
  /** The table's rows before the first event. Default: none. */
  readonly start?: readonly Row[]
}

/** The rows that a table must hold, by key, when these events have happened to it. */
export function fold(events: Iterable<DeliveredEvent>, options: FoldOptions = {}): Map<string, Row> {
  const { strict = true, key = ['id'], start = [] } = options
  const rows = new Map(start.map((row) => [keyText(Object.fromEntries(key.map((name) => [name, row[name]]))), row]))
  /** The row whose key an update is changing: the insert that follows is its other half. */
  let moving: Row | undefined
  for (const event of events) {
    const at = event.key === null ? '' : keyText(event.key)
    if (event.kind === 'truncate') rows.clear()
    if (event.kind === 'delete') {
      assert.ok(!strict || rows.has(at), `impossible: ${describeEvent(event)} of a row that is not there`)
      moving = event.derivedFrom === null ? undefined : rows.get(at)
      rows.delete(at)
    }
    if (event.kind === 'insert') {
      assert.ok(!strict || !rows.has(at), `impossible: ${describeEvent(event)} of a row that is already there`)
      rows.set(at, completed(event, event.derivedFrom === null ? undefined : moving))
      moving = undefined
    }
    // A row that is read again, after a crash or where it moved, is what it is now.
    if (event.kind === 'snapshot') rows.set(at, event.new)
    if (event.kind === 'update') {
      assert.ok(!strict || rows.has(at), `impossible: ${describeEvent(event)} of a row that is not there`)
      rows.set(at, completed(event, rows.get(at)))
    }
  }
  return rows
}

/** The event's row, with what the database did not send taken from the row before. */
function completed(event: ChangeEvent & { readonly kind: 'insert' | 'update' }, before: Row | undefined): Row {
  // `unavailable` also names what the old row lacks.
  const missing = event.unavailable.filter((name) => !Object.hasOwn(event.new, name))
  if (missing.length === 0) return event.new
  const kept = missing.map((name) => {
    assert.ok(
      before !== undefined && Object.hasOwn(before, name),
      `${describeEvent(event)}: ${name} is unavailable, and no row before it is known`,
    )
    return [name, before[name]] as const
  })
  return Object.fromEntries([...Object.entries(event.new), ...kept])
}
