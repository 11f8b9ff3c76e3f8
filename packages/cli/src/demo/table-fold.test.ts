import { describe, expect, test } from 'vitest'

import { deleteEvent, insertEvent, truncateEvent, updateEvent } from '../testing/events.ts'
import { TableFold } from './table-fold.ts'

describe('a fold', () => {
  test('follows inserts, updates, deletes and truncation by key', () => {
    const fold = new TableFold(['id'], [{ id: 1, v: 'a' }])
    fold.apply(insertEvent({ key: { id: 2 }, new: { id: 2, v: 'b' } }))
    fold.apply(updateEvent({ key: { id: 1 }, new: { id: 1, v: 'c' } }))
    expect(
      fold.equals([
        { id: 1, v: 'c' },
        { id: 2, v: 'b' },
      ]),
    ).toBe(true)
    fold.apply(deleteEvent({ key: { id: 1 }, old: { id: 1 } }))
    expect(fold.equals([{ id: 2, v: 'b' }])).toBe(true)
    fold.apply(truncateEvent({}))
    expect(fold.equals([])).toBe(true)
  })

  test('keeps what an update did not send', () => {
    const fold = new TableFold(['id'], [{ id: 1, v: 'a', body: 'long' }])
    fold.apply(updateEvent({ key: { id: 1 }, new: { id: 1, v: 'b' }, unavailable: ['body'] }))
    expect(fold.equals([{ id: 1, v: 'b', body: 'long' }])).toBe(true)
  })

  test.each([
    [
      'a row too few',
      [
        { id: 1, at: new Date(1) },
        { id: 2, at: null },
      ],
    ],
    ['a row too many', []],
    ['another value', [{ id: 1, at: new Date(2) }]],
    ['another type of value', [{ id: '1', at: new Date(1) }]],
  ])('notices %s', (_, rows) => {
    expect(new TableFold(['id'], [{ id: 1, at: new Date(1) }]).equals(rows)).toBe(false)
  })
})
