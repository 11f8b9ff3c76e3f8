import type { DeliveredEvent } from '@rowtap/core'
import pc from 'picocolors'
import { describe, expect, test } from 'vitest'

import { deleteEvent, insertEvent, signalEvent, truncateEvent, updateEvent } from '../testing/events.ts'
import { changeLine } from './change-line.ts'
import { clockTime } from './clock-time.ts'
import { displayWidth } from './display-width.ts'

const TIME = clockTime(new Date('2026-11-20T09:05:01.070Z'))

function line(event: DeliveredEvent, columns: number | null = null): string {
  return changeLine(event, { colors: pc.createColors(false), columns, tableWidth: 15 })
}

describe('a change as a line for a person', () => {
  test('an insert shows the key and the other columns', () => {
    const event = insertEvent({ key: { id: '7' }, new: { id: '7', status: 'new', note: null, name: 'null' } })
    expect(line(event)).toBe(`${TIME}  insert    public.orders    id=7  status=new  note=null  name="null"`)
  })

  test('a signal shows what was done', () => {
    expect(line(signalEvent({ operation: 'delete' }))).toBe(`${TIME}  signal    public.orders    delete`)
  })

  test('an update shows what changed, from what to what', () => {
    const event = updateEvent({
      key: { id: '7' },
      new: { id: '7', status: 'paid', total: '9' },
      old: { id: '7', status: 'new', total: '9' },
      changed: ['status'],
    })
    expect(line(event)).toBe(`${TIME}  update    public.orders    id=7  status: new → paid`)
  })

  test('an update without effect says so', () => {
    const event = updateEvent({ key: { id: '7' }, new: { id: '7' }, old: { id: '7' }, changed: [] })
    expect(line(event)).toBe(`${TIME}  update    public.orders    id=7  (nothing changed)`)
  })

  test('an update whose old row is not known shows the new one', () => {
    const event = updateEvent({ key: { id: '7' }, new: { id: '7', status: 'paid' }, unavailable: ['body'] })
    expect(line(event)).toBe(`${TIME}  update    public.orders    id=7  status=paid  (not sent: body)`)
  })

  test('a delete shows the key and what else is known', () => {
    expect(line(deleteEvent({ key: { id: '7' }, old: { id: '7', status: 'new' } }))).toBe(
      `${TIME}  delete    public.orders    id=7  status=new`,
    )
  })

  test('the two halves of a key change, and what crosses a condition, say that an update did it', () => {
    expect(line(deleteEvent({ key: { id: '7' }, old: { id: '7' }, derivedFrom: 'update' }))).toBe(
      `${TIME}  delete    public.orders    id=7  (by an update)`,
    )
    expect(line(insertEvent({ key: { id: '8' }, new: { id: '8' }, derivedFrom: 'update' }))).toBe(
      `${TIME}  insert    public.orders    id=8  (by an update)`,
    )
  })

  test('a truncate shows the table', () => {
    expect(line(truncateEvent({}))).toBe(`${TIME}  truncate  public.orders`)
  })

  test('a commit time that is not known leaves its place empty', () => {
    const event = truncateEvent({ transaction: { id: '1', commitTime: null } })
    expect(line(event)).toBe('-             truncate  public.orders')
  })

  test('names and values cannot steer the terminal', () => {
    const event = insertEvent({
      table: 'a\u001b[2Jb',
      key: { 'k\u0007': '1' },
      new: { 'k\u0007': '1', text: 'x\u001b[31m\u009b1m\u202ey\nz' },
    })
    // eslint-disable-next-line no-control-regex
    expect(line(event)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })

  test('a pipe gets long values as they are', () => {
    const text = 'x'.repeat(10_000)
    expect(line(insertEvent({ key: { id: '1' }, new: { id: '1', text } }))).toContain(text)
  })

  test('a terminal gets lines that fit it, whatever is in them', () => {
    const event = insertEvent({
      key: { id: '1' },
      new: { id: '1', wide: '変更'.repeat(50), more: 'é'.repeat(50), last: 1 },
    })
    for (let columns = 1; columns < 200; columns += 1)
      expect(displayWidth(line(event, columns))).toBeLessThanOrEqual(columns)
    expect(line(event, 200)).toContain('last=1')
    expect(line(event, 100)).toMatch(/…$/)
  })

  test('colours go round what is shown, and count for nothing', () => {
    const event = updateEvent({
      key: { id: '7' },
      new: { status: 'paid' },
      old: { status: 'new' },
      changed: ['status'],
    })
    const colored = changeLine(event, { colors: pc.createColors(true), columns: 60, tableWidth: 15 })
    // eslint-disable-next-line no-control-regex
    expect(colored.replaceAll(/\u001b\[\d+m/g, '')).toBe(line(event, 60))
    expect(colored).not.toBe(line(event, 60))
  })
})
