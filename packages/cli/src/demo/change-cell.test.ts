import pc from 'picocolors'
import { describe, expect, test } from 'vitest'

import { displayWidth } from '../format/display-width.ts'
import { deleteEvent, insertEvent, truncateEvent, updateEvent } from '../testing/events.ts'
import { changeCell } from './change-cell.ts'

const colors = pc.createColors(false)

const order = { id: '17', customer: 'Grace', status: 'new', total: '9.50', placed_at: new Date() }
const insert = insertEvent({ key: { id: '17' }, new: order })
const update = updateEvent({
  key: { id: '17' },
  new: { status: 'shipped' },
  old: { status: 'paid' },
  changed: ['status'],
})

describe('a change in a column of the demo', () => {
  test.each([
    ['as many values as fit', insert, 37, '+ orders 17  Grace, new, 9.50  0.8 ms'],
    ['and no half ones', insert, 34, '+ orders 17  Grace, new     0.8 ms'],
    ['what changed', update, 41, '~ orders 17  status paid → shipped 0.8 ms'],
    ['without the column’s name where it is too long', update, 37, '~ orders 17  paid → shipped    0.8 ms'],
    [
      'a delete',
      deleteEvent({ key: { order_id: '1', line: 2 }, table: 'order_items' }),
      37,
      '- order_items 1/2              0.8 ms',
    ],
    [
      'a key change',
      deleteEvent({ key: { id: '1' }, derivedFrom: 'update' }),
      37,
      '- orders 1  key change         0.8 ms',
    ],
    ['a truncate', truncateEvent({}), 37, '× orders                       0.8 ms'],
    ['a long key', insertEvent({ key: { id: 'x'.repeat(50) } }), 30, '+ orders xxxxxxxxxxxxx… 0.8 ms'],
  ])('%s', (_, event, columns, expected) => {
    expect(changeCell(event, 0.8, columns, colors)).toBe(expected)
  })

  test('has exactly the width that it is given', () => {
    for (const event of [insert, update, truncateEvent({})]) {
      for (let columns = 24; columns < 80; columns += 1) {
        expect(displayWidth(changeCell(event, 1_234, columns, colors))).toBe(columns)
        expect(displayWidth(changeCell(event, null, columns, colors))).toBe(columns)
      }
    }
  })
})
