import type { ChangeEvent, Row } from '@rowtap/core'
import { describeEvent } from '@rowtap/driver-testkit'
import assert from 'node:assert/strict'

/** What a change was to a listener. */
type Happening = ChangeEvent['kind'] | 'derived insert' | 'derived delete'

/**
 * The rows that a listener's events add up to, from an empty table on, without keeping the events: there are millions
 * of them. It is strict: an event that cannot be (an insert of a row that is there, an update or delete of one that is
 * not) fails, and so does a value that the database did not send.
 */
export class RunningFold {
  /** Rows by the text of their key's value. */
  readonly rows: Map<string, Row> = new Map()
  /** How often each happened. */
  readonly happenings: Map<Happening, number> = new Map()

  apply(event: ChangeEvent): void {
    const happening = event.derivedFrom === null ? event.kind : (`derived ${event.kind}` as const)
    this.happenings.set(happening, (this.happenings.get(happening) ?? 0) + 1)
    assert.deepEqual(event.unavailable, [], `${describeEvent(event)} lacks values`)
    if (event.kind === 'truncate') {
      this.rows.clear()
      return
    }
    const key = String(event.key['id'])
    const isThere = this.rows.has(key)
    if (event.kind === 'insert') {
      assert.ok(!isThere, `impossible: ${describeEvent(event)} of a row that is already there`)
    } else {
      assert.ok(isThere, `impossible: ${describeEvent(event)} of a row that is not there`)
    }
    if (event.kind === 'delete') this.rows.delete(key)
    else this.rows.set(key, event.new)
  }
}
