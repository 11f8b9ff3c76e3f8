import { expect, test } from 'vitest'

import { insertEvent, signalEvent, truncateEvent } from '../testing/events.ts'
import { jsonLine } from './json-line.ts'

test('a line holds the fields of every event in a fixed order, and no other', () => {
  expect(jsonLine(insertEvent({ key: { id: 1 }, new: { id: 1, note: null } }))).toBe(
    '{"id":"e1","kind":"insert","schema":"public","table":"orders","key":{"id":1},"new":{"id":1,"note":null},"old":null,' +
      '"changed":null,"unavailable":[],"derivedFrom":null,"position":"p1","transaction":{"id":"731","commitTime":"2026-11-20T09:05:01.070Z"}}',
  )
})

test('what an event does not have is null', () => {
  expect(JSON.parse(jsonLine(truncateEvent({ transaction: { id: '731', commitTime: null } })))).toEqual({
    id: 'e1',
    kind: 'truncate',
    schema: 'public',
    table: 'orders',
    key: null,
    new: null,
    old: null,
    changed: null,
    unavailable: [],
    derivedFrom: null,
    position: 'p1',
    transaction: { id: '731', commitTime: null },
  })
})

test('a signal has its operation behind its kind', () => {
  expect(jsonLine(signalEvent({ operation: 'update' }))).toMatch(
    /^\{"id":"e1","kind":"signal","operation":"update","schema":"public","table":"orders","key":null,"new":null,/,
  )
})
