import type { ChangeEvent, InsertEvent, UpdateEvent } from '@rowtap/core'
import { position } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { fold } from './fold.ts'

const base = {
  id: '1',
  schema: 'public',
  table: 't',
  unavailable: [],
  position: position('1'),
  transaction: { id: '1', commitTime: null },
  key: { id: 1 },
  changed: null,
  old: null,
  derivedFrom: null,
} as const

const insert = (row: { id: number; v?: string }, more: Partial<InsertEvent> = {}): ChangeEvent => ({
  ...base,
  kind: 'insert',
  key: { id: row.id },
  new: row,
  ...more,
})
const update = (row: { id: number; v?: string }, more: Partial<UpdateEvent> = {}): ChangeEvent => ({
  ...base,
  kind: 'update',
  key: { id: row.id },
  new: row,
  ...more,
})
const remove = (id: number, derivedFrom: 'update' | null = null): ChangeEvent => ({
  ...base,
  kind: 'delete',
  key: { id },
  new: null,
  old: { id },
  derivedFrom,
})
const truncate: ChangeEvent = { ...base, kind: 'truncate', key: null, new: null }

const rows = (...events: ChangeEvent[]): unknown[] => [...fold(events).values()]

test('applies events by key', () => {
  expect(rows(insert({ id: 1, v: 'a' }), insert({ id: 2, v: 'b' }), update({ id: 1, v: 'c' }), remove(2))).toEqual([
    { id: 1, v: 'c' },
  ])
  expect(rows(insert({ id: 1 }), truncate, insert({ id: 2 }))).toEqual([{ id: 2 }])
})

test('starts from the rows that were there', () => {
  expect([...fold([update({ id: 1, v: 'b' })], { start: [{ id: 1, v: 'a' }] }).values()]).toEqual([{ id: 1, v: 'b' }])
})

test('an impossible event fails, unless the fold is not strict', () => {
  expect(() => rows(insert({ id: 1 }), insert({ id: 1 }))).toThrow(
    /impossible: insert t \{ id: 1 \} of a row that is already there/u,
  )
  expect(() => rows(update({ id: 1 }))).toThrow(/impossible: update/u)
  expect(() => rows(remove(1))).toThrow(/impossible: delete/u)
  expect([
    ...fold([update({ id: 1, v: 'a' }), remove(2), insert({ id: 1, v: 'b' })], { strict: false }).values(),
  ]).toEqual([{ id: 1, v: 'b' }])
})

test('a value that was not sent is the one of the row before, also across a change of the key', () => {
  const unavailable = ['v']
  expect(rows(insert({ id: 1, v: 'large' }), update({ id: 1 }, { unavailable }))).toEqual([{ id: 1, v: 'large' }])
  expect(
    rows(insert({ id: 1, v: 'large' }), remove(1, 'update'), insert({ id: 2 }, { derivedFrom: 'update', unavailable })),
  ).toEqual([{ id: 2, v: 'large' }])
  expect(() => rows(insert({ id: 1 }, { unavailable }))).toThrow(/v is unavailable, and no row before it is known/u)
})
