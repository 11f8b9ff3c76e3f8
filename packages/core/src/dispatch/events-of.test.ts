import { describe, expect, test } from 'vitest'
import type { Change } from '../contract/driver.ts'
import { position } from '../contract/position.ts'
import type { DeliveredEvent } from '../event.ts'
import type { Relation } from '../contract/relation.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { listenRequest } from '../options/listen-request.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { Values } from '../testing/scripted-driver.ts'
import { SCRIPTED_CAPABILITIES, textRelation } from '../testing/scripted-driver.ts'
import { eventsOf as eventsOfTransition } from './events-of.ts'
import type { Projection } from './projection.ts'
import { projection } from './projection.ts'
import { RoutedChange } from './routed-change.ts'
import { EVERY_ROW } from './row-condition.ts'
import { transitionOf } from './transition-of.ts'

const whole = textRelation('t', ['id', 'a', 'b'])
const keyOnly = textRelation('t', ['id', 'a', 'b'], {
  oldColumns: [0],
  oldRowsStatement: 'ALTER TABLE t REPLICA IDENTITY FULL',
})
const keyless = textRelation('t', ['a', 'b'], { primaryKey: [] })

function request(options: object = {}): ListenRequest {
  return listenRequest(SCRIPTED_CAPABILITIES, { table: 't', ...options })
}

function change(
  kind: Change['kind'],
  relation: Relation,
  rows: { readonly new?: Values; readonly old?: Values },
): Change {
  const tuple = (values: Values | undefined): Change['new'] =>
    values === undefined ? null : { text: (index) => values[index] }
  return {
    kind,
    relation,
    new: tuple(rows.new),
    old: tuple(rows.old),
    transaction: { id: '7', commitTime: null },
    id: 'c1',
    position: position('1'),
  }
}

function eventsOf(made: Change, projected: Projection): readonly DeliveredEvent[] {
  const routed = new RoutedChange(made, { pending: 0, last: made.position }, 0)
  const transition = transitionOf(routed, projected, EVERY_ROW)
  return transition === null ? [] : eventsOfTransition(routed, projected, transition)
}

function events(
  relation: Relation,
  rows: { readonly new?: Values; readonly old?: Values },
  options: object = {},
): readonly object[] {
  return eventsOf(change('update', relation, rows), projection(relation, request(options))).map(
    ({ id, kind, key, new: after, old, changed, unavailable, derivedFrom }) => ({
      id,
      kind,
      key,
      new: after,
      old,
      changed,
      unavailable,
      derivedFrom,
    }),
  )
}

describe('an update', () => {
  test('with a whole old row says what changed', () => {
    expect(events(whole, { new: ['1', 'x', null], old: ['1', 'x', 'y'] })).toEqual([
      {
        id: 'c1',
        kind: 'update',
        key: { id: '1' },
        new: { id: '1', a: 'x', b: null },
        old: { id: '1', a: 'x', b: 'y' },
        changed: ['b'],
        unavailable: [],
        derivedFrom: null,
      },
    ])
  })

  test('has the value that a parser makes of the new text, also where that is undefined', () => {
    const parse = (text: string): unknown => (text === 'x' ? 'an old x' : undefined)
    const odd = {
      ...whole,
      columns: whole.columns.map((column) => (column.name === 'a' ? { ...column, parse } : column)),
    }
    const [event] = events(odd, { new: ['1', 'y', 'z'], old: ['1', 'x', 'z'] })
    expect(event).toStrictEqual({
      id: 'c1',
      kind: 'update',
      key: { id: '1' },
      new: { id: '1', a: undefined, b: 'z' },
      old: { id: '1', a: 'an old x', b: 'z' },
      changed: ['a'],
      unavailable: [],
      derivedFrom: null,
    })
  })

  test('that changes nothing is delivered, with nothing changed', () => {
    expect(events(whole, { new: ['1', 'x', 'y'], old: ['1', 'x', 'y'] })).toMatchObject([
      { kind: 'update', changed: [] },
    ])
  })

  test('asks the new row what changed, where that can tell', () => {
    const made = change('update', whole, { new: ['1', 'x', 'y'], old: ['1', 'x', 'y'] })
    const asked: (typeof made.old)[] = []
    const differs = (index: number, other: NonNullable<Change['old']>): boolean => {
      asked.push(other)
      return index === 2
    }
    const row = made.new === null ? null : { ...made.new, differs }
    expect(eventsOf({ ...made, new: row }, projection(whole, request()))).toMatchObject([
      { kind: 'update', changed: ['b'] },
    ])
    expect(new Set(asked)).toEqual(new Set([made.old]))
  })

  test('without an old row does not claim to know what changed', () => {
    expect(events(keyOnly, { new: ['1', 'x', 'y'] })).toMatchObject([
      { kind: 'update', old: null, changed: null, unavailable: [] },
    ])
  })

  test('takes an unchanged large value from the old row, and otherwise names it as unavailable', () => {
    expect(events(whole, { new: ['1', 'x', undefined], old: ['1', 'w', 'large'] })).toMatchObject([
      { new: { id: '1', a: 'x', b: 'large' }, changed: ['a'], unavailable: [] },
    ])
    expect(events(keyOnly, { new: ['1', 'x', undefined] })).toMatchObject([
      { new: { id: '1', a: 'x' }, unavailable: ['b'] },
    ])
    expect(events(keyOnly, { new: ['1', 'x', undefined] })[0]).not.toHaveProperty('new.b')
  })

  test('of the key is a delete and an insert, with ids of their own', () => {
    expect(events(whole, { new: ['2', 'x', 'y'], old: ['1', 'x', 'y'] })).toEqual([
      {
        id: 'c1/delete',
        kind: 'delete',
        key: { id: '1' },
        new: null,
        old: { id: '1', a: 'x', b: 'y' },
        changed: null,
        unavailable: [],
        derivedFrom: 'update',
      },
      {
        id: 'c1/insert',
        kind: 'insert',
        key: { id: '2' },
        new: { id: '2', a: 'x', b: 'y' },
        old: null,
        changed: null,
        unavailable: [],
        derivedFrom: 'update',
      },
    ])
    expect(events(keyOnly, { new: ['2', 'x', 'y'], old: ['1', undefined, undefined] })).toMatchObject([
      { kind: 'delete', old: { id: '1' }, unavailable: ['a', 'b'] },
      { kind: 'insert', new: { id: '2', a: 'x', b: 'y' }, unavailable: [] },
    ])
  })

  test('of a declared key is a delete and an insert, too', () => {
    expect(events(whole, { new: ['1', 'x', 'z'], old: ['1', 'x', 'y'] }, { key: ['b'] })).toMatchObject([
      { kind: 'delete', key: { b: 'y' } },
      { kind: 'insert', key: { b: 'z' } },
    ])
  })

  test('of a table without a primary key has the whole row as its key', () => {
    expect(events(keyless, { new: ['x', 'z'], old: ['x', 'y'] })).toMatchObject([
      { kind: 'delete', key: { a: 'x', b: 'y' } },
      { kind: 'insert', key: { a: 'x', b: 'z' } },
    ])
  })
})

describe('columns', () => {
  test('rows hold those and nothing else; the key is there all the same', () => {
    expect(events(whole, { new: ['1', 'x', 'z'], old: ['1', 'x', 'y'] }, { columns: ['b'] })).toMatchObject([
      { key: { id: '1' }, new: { b: 'z' }, old: { b: 'y' }, changed: ['b'] },
    ])
  })

  test('an update that changes none of them is left out', () => {
    expect(events(whole, { new: ['1', 'x', 'z'], old: ['1', 'x', 'y'] }, { columns: ['a'] })).toEqual([])
    expect(events(keyOnly, { new: ['1', 'x', 'z'] }, { columns: ['id'] })).toEqual([])
  })
})

describe('what a table cannot give is refused when the listener is attached', () => {
  test.each([
    [
      'an unknown column',
      whole,
      { columns: ['A1'] },
      'ERR_INVALID_OPTIONS',
      `Table public.t has no column "A1" (named in 'columns'). Did you mean "a"?`,
    ],
    [
      'an unknown key column',
      whole,
      { key: ['idd'] },
      'ERR_INVALID_OPTIONS',
      `Table public.t has no column "idd" (named in 'key'). Did you mean "id"?`,
    ],
    [
      'columns without old rows',
      keyOnly,
      { columns: ['a'] },
      'ERR_SETUP_REQUIRED',
      'Run: ALTER TABLE t REPLICA IDENTITY FULL',
    ],
    [
      'a declared key without old rows',
      keyOnly,
      { key: ['a'] },
      'ERR_SETUP_REQUIRED',
      'Updates and deletes of table public.t do not carry the old value of its key (a)',
    ],
    [
      'no primary key and no old rows',
      { ...keyless, oldColumns: [] },
      {},
      'ERR_SETUP_REQUIRED',
      'Table public.t has no primary key',
    ],
  ])('%s', (_name, relation: Relation, options, code, message) => {
    let thrown: unknown
    try {
      projection(relation, request(options))
    } catch (error) {
      thrown = error
    }
    expect(RowtapError.is(thrown) && thrown.code).toBe(code)
    expect(RowtapError.is(thrown) && thrown.message).toContain(message)
  })

  test.each([
    ['columns, with idempotent transitions', keyOnly, { columns: ['a'], transitions: 'idempotent' }],
    ['columns, without updates', keyOnly, { columns: ['a'], operations: ['insert', 'delete'] }],
    ['no primary key, with inserts only', { ...keyless, oldColumns: [] }, { operations: ['insert', 'truncate'] }],
  ])('and not: %s', (_name, relation: Relation, options) => {
    expect(projection(relation, request(options)).columns.length).toBeGreaterThan(0)
  })
})

test('a column named __proto__ is a column like any other', () => {
  const relation = textRelation('t', ['__proto__', 'constructor'])
  const [event] = eventsOf(change('insert', relation, { new: ['1', '2'] }), projection(relation, request()))
  expect(Object.entries(event?.new ?? {})).toEqual([
    ['__proto__', '1'],
    ['constructor', '2'],
  ])
  expect(Object.getPrototypeOf(event?.new)).toBe(Object.prototype)
})

test('a parser that throws is an error that names the column and the position', () => {
  const relation = textRelation('t', ['id'])
  const broken = {
    ...relation,
    columns: relation.columns.map((column) => ({
      ...column,
      parse: () => {
        throw new Error('odd')
      },
    })),
  }
  let thrown: unknown
  try {
    eventsOf(change('insert', broken, { new: ['1'] }), projection(broken, request()))
  } catch (error) {
    thrown = error
  }
  expect(RowtapError.is(thrown, 'ERR_DECODE') && thrown.message).toBe(
    'The parser of type text failed on column "id" of table public.t, at position 1.',
  )
})
