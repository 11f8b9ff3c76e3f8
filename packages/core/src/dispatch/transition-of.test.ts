import { describe, expect, test } from 'vitest'
import { AS_WRITTEN } from '../conditions/bound-condition.ts'
import { compileCondition } from '../conditions/compile-condition.ts'
import { conditionOf } from '../conditions/condition-of.ts'
import type { Change } from '../contract/driver.ts'
import { position } from '../contract/position.ts'
import type { Relation } from '../contract/relation.ts'
import { listenRequest } from '../options/listen-request.ts'
import type { Values } from '../testing/scripted-driver.ts'
import { SCRIPTED_CAPABILITIES, textRelation } from '../testing/scripted-driver.ts'
import { eventsOf } from './events-of.ts'
import { projection } from './projection.ts'
import { RoutedChange } from './routed-change.ts'
import { RowCondition } from './row-condition.ts'
import { transitionOf } from './transition-of.ts'

/** Gives whole old rows. */
const whole = textRelation('t', ['id', 'a', 'b'])
/** Gives the key of old rows, and that only where it changed. */
const keyOnly = textRelation('t', ['id', 'a', 'b'], { oldColumns: [0] })

const IN = 'in'
const OUT = 'out'
const NULL = null

interface Case {
  readonly kind: Change['kind']
  readonly old?: Values
  readonly new?: Values
  readonly options?: object
}

/** What the change is for a listener with `where: { a: 'in' }`: each event as its kind, its key and what it is derived from. */
function outcome(relation: Relation, one: Case): readonly string[] {
  const request = listenRequest(SCRIPTED_CAPABILITIES, { table: 't', transitions: 'idempotent', ...one.options })
  const projected = projection(relation, request)
  const condition = new RowCondition(compileCondition(conditionOf({ a: 'in' }), relation.columns, AS_WRITTEN))
  const at = position('1')
  const tuple = (values: Values | undefined): Change['new'] =>
    values === undefined ? null : { text: (index) => values[index] }
  const change: Change = {
    kind: one.kind,
    relation,
    new: tuple(one.new),
    old: tuple(one.old),
    transaction: { id: '7', commitTime: null },
    id: 'c',
    position: at,
  }
  const routed = new RoutedChange(change, { pending: 0, last: at }, 0)
  const transition = transitionOf(routed, projected, condition.truthOf(routed))
  if (transition === null) return []
  return eventsOf(routed, projected, transition).map(({ id, kind, key, derivedFrom }) =>
    [kind, key?.['id'], id, derivedFrom].join(' '),
  )
}

describe('with the old row', () => {
  test.each<readonly [before: string | null, after: string | null, keyChanges: boolean, events: readonly string[]]>([
    [IN, IN, false, ['update 1 c ']],
    [IN, OUT, false, ['delete 1 c/delete update']],
    [IN, NULL, false, ['delete 1 c/delete update']],
    [OUT, IN, false, ['insert 1 c/insert update']],
    [OUT, OUT, false, []],
    [OUT, NULL, false, []],
    [NULL, IN, false, ['insert 1 c/insert update']],
    [NULL, OUT, false, []],
    [NULL, NULL, false, []],
    [IN, IN, true, ['delete 1 c/delete update', 'insert 2 c/insert update']],
    [IN, OUT, true, ['delete 1 c/delete update']],
    [IN, NULL, true, ['delete 1 c/delete update']],
    [OUT, IN, true, ['insert 2 c/insert update']],
    [OUT, OUT, true, []],
    [OUT, NULL, true, []],
    [NULL, IN, true, ['insert 2 c/insert update']],
    [NULL, OUT, true, []],
    [NULL, NULL, true, []],
  ])('an update from %s to %s, key changed: %s', (before, after, keyChanges, events) => {
    expect(
      outcome(whole, { kind: 'update', old: ['1', before, 'x'], new: [keyChanges ? '2' : '1', after, 'y'] }),
    ).toEqual(events)
  })

  test.each<readonly [value: string | null, kind: 'insert' | 'delete', events: readonly string[]]>([
    [IN, 'insert', ['insert 1 c ']],
    [OUT, 'insert', []],
    [NULL, 'insert', []],
    [IN, 'delete', ['delete 1 c ']],
    [OUT, 'delete', []],
    [NULL, 'delete', []],
  ])('of %s, an %s', (value, kind, events) => {
    const row = ['1', value, 'x']
    expect(outcome(whole, kind === 'insert' ? { kind, new: row } : { kind, old: row })).toEqual(events)
  })
})

describe('without the old row', () => {
  test.each<readonly [after: string | null, keyChanges: boolean, events: readonly string[]]>([
    [IN, false, ['update 1 c ']],
    [OUT, false, ['delete 1 c/delete update']],
    [NULL, false, ['delete 1 c/delete update']],
    [IN, true, ['delete 0 c/delete update', 'insert 1 c/insert update']],
    [OUT, true, ['delete 0 c/delete update']],
    [NULL, true, ['delete 0 c/delete update']],
  ])('an update to %s, key changed: %s', (after, keyChanges, events) => {
    const old = keyChanges ? { old: ['0', undefined, undefined] } : {}
    expect(outcome(keyOnly, { kind: 'update', ...old, new: ['1', after, 'y'] })).toEqual(events)
  })

  test('a delete is delivered, whatever the row was', () => {
    expect(outcome(keyOnly, { kind: 'delete', old: ['1', undefined, undefined] })).toEqual(['delete 1 c '])
  })
})

test('a truncate concerns every condition', () => {
  expect(outcome(whole, { kind: 'truncate' })).toEqual(['truncate  c '])
})

describe('with columns', () => {
  const options = { columns: ['id'] }

  test('an update inside the condition that changes none of them is left out', () => {
    expect(outcome(whole, { kind: 'update', old: ['1', IN, 'x'], new: ['1', IN, 'y'], options })).toEqual([])
  })

  test('one that moves the row into the condition or out of it is not', () => {
    expect(outcome(whole, { kind: 'update', old: ['1', OUT, 'x'], new: ['1', IN, 'x'], options })).toEqual([
      'insert 1 c/insert update',
    ])
    expect(outcome(whole, { kind: 'update', old: ['1', IN, 'x'], new: ['1', OUT, 'x'], options })).toEqual([
      'delete 1 c/delete update',
    ])
  })

  test('nor is one of a row that may not have been in the condition before', () => {
    expect(outcome(keyOnly, { kind: 'update', new: ['1', IN, 'y'], options })).toEqual(['update 1 c '])
  })
})

test('a value that the condition needs and that was not sent is an error, and not NULL', () => {
  expect(() => outcome(keyOnly, { kind: 'update', new: ['1', undefined, 'y'] })).toThrow(
    "arrived without a value that a listener's 'where' needs",
  )
})
